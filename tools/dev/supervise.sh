# shellcheck shell=bash
# One supervisor for a stack: this very process. It starts the services in order, starts again
# what dies (at once, then backing off to 5 s), and stops all of them when it is told to. Should it
# be killed itself, the kernel tells the services (parent-death signal), so nothing is left behind.
#
# A file $RUN/hold/NAME keeps a dead service down until the file is removed: tests and
# operators' drills use it to take a service away for a while.

# What the others need comes first and is started at once, nginx last. A new program: its name here, a line in service_exec,
# and where it can be asked whether it is there, one in service_answers.
SERVICES_FIRST=(postgres redis)
SERVICES_IN_ORDER=("${SERVICES_FIRST[@]}" web worker live nginx)
declare -A SERVICE_PID SERVICE_BEGAN SERVICE_WAIT SERVICE_NEXT
STOPPING=''
SPACE_SAID=''
VIEW=''

service_log() { printf '%s/log/%s.log' "$STATE" "$1"; }
service_file() { printf '%s/%s.pid' "$RUN" "$1"; }

# NAME: becomes the service.
service_exec() {
	local signal=TERM pg
	case $1 in
	postgres)
		pg=$(pg_bin)
		service_become INT "${AS_PG[@]:1}" -- "$pg/postgres" -D "$PGDATA" -c listen_addresses='' -c unix_socket_directories="$RUN" \
			-c unix_socket_permissions=0700 -c max_connections=120 -c shared_buffers=256MB -c log_line_prefix='%m [%p] %q%u ' \
			-c jit=off -c timezone=UTC -c log_timezone=UTC "${PG_EXTRA[@]}"
		;;
	redis)
		service_become $signal -- redis-server --port 0 --unixsocket "$RUN/redis.sock" --unixsocketperm 700 --daemonize no \
			--save '' --appendonly no --dir "$STATE" --maxmemory 64mb --maxmemory-policy volatile-ttl --loglevel warning
		;;
	web) service_become $signal -- "$BUILD/stint-web" -c "$STATE/stint.conf" ;;
	worker) service_become $signal -- "$BUILD/stint-worker" -c "$STATE/stint.conf" ;;
	live) service_become $signal -- "$BUILD/stint-live" -c "$STATE/stint.conf" ;;
	nginx) service_become QUIT -- nginx -e stderr -p "$STATE" -c "$STATE/nginx/nginx.conf" ;;
	esac
}

# SIGNAL SETPRIV-OPTION… -- COMMAND…: a session of its own; Ctrl-C, which a background child of
# a shell ignores, is given back its meaning.
service_become() {
	local signal=$1
	shift
	exec env --default-signal=INT,QUIT setsid setpriv --pdeathsig "$signal" "$@"
}

service_start() {
	local name=$1
	rm -f "$(service_file "$name")"
	[[ $name != nginx ]] || rm -f "$RUN/nginx.sock"
	[[ $name != redis ]] || rm -f "$RUN/redis.sock"
	(service_exec "$name") >>"$(service_log "$name")" 2>&1 </dev/null 9>&- &
	SERVICE_PID[$name]=$!
	disown "$!" # or the shell says itself how each of them died
	proc_record "$(service_file "$name")" "$!" || true # no room: then only its parent-death signal ends it
	SERVICE_BEGAN[$name]=$SECONDS
}

service_signal() {
	case $1 in
	postgres) echo INT ;; # fast: clients are told to go
	*) echo TERM ;;
	esac
}

service_patience() { # seconds
	case $1 in
	postgres) echo 20 ;; # its last checkpoint
	worker) echo 30 ;;   # the job in hand has 25
	*) echo 8 ;;
	esac
}

# Also what an earlier run, killed hard, left behind.
services_stop() {
	local i name
	for ((i = ${#SERVICES_IN_ORDER[@]} - 1; i >= 0; i--)); do
		name=${SERVICES_IN_ORDER[i]}
		service_end "$(service_file "$name")" "$(service_signal "$name")" "$(service_patience "$name")"
	done
	rm -f "$RUN"/*.sock "$STATE/stack.env"
}

service_answers() {
	case $1 in
	postgres) "$(pg_bin)/pg_isready" -q -h "$RUN" ;;
	redis) [[ -S $RUN/redis.sock ]] ;;
	web) [[ -S $RUN/web.sock && -S $RUN/auth.sock ]] ;;
	live) [[ -S $RUN/live.sock ]] ;;
	nginx) perl "$ROOT/tools/dev/http-ready.pl" "$RUN/nginx.sock" /readyz ;;
	esac
}

# NAME: waits until it answers.
service_wait() {
	local name=$1 turns=600
	until service_answers "$name" >/dev/null 2>&1; do
		[[ -z $STOPPING ]] || return 1
		if ! kill -0 "${SERVICE_PID[$name]}" 2>/dev/null || ((--turns == 0)); then
			tail -n 15 "$(service_log "$name")" | sed 's/^/  | /' >&2
			warn "$name did not start; the end of $(service_log "$name") is above."
			space_explain "$(service_log "$name")" "$STATE" "$PGDATA"
			return 1
		fi
		sleep 0.1
	done
}

services_start() {
	local name
	pg_make || return 1
	for name in "${SERVICES_FIRST[@]}"; do
		service_start "$name"
	done
	for name in "${SERVICES_FIRST[@]}"; do
		service_wait "$name" || return 1
	done
	db_prepare || return 1
	for name in "${SERVICES_IN_ORDER[@]:${#SERVICES_FIRST[@]}}"; do
		service_start "$name"
		service_wait "$name" || return 1
	done
}

# The stack's life. Returns when it was told to stop, or could not start; however it ends, nothing runs on.
supervise() {
	local status=0
	trap 'STOPPING=1' INT TERM HUP
	services_stop
	need_space "$STATE" 100
	trap supervise_end EXIT
	proc_record "$STATE/dev.pid" $$ || return 1
	logs_turn
	if services_start; then
		"$@"
		# Ctrl-C ends what runs in front, too: that is no failure.
		stack_env | write_file "$STATE/stack.env" || [[ $STOPPING ]] || return 1 # says to others that all of it runs
		supervise_loop
		[[ ! -t 1 ]] || printf '\r\e[K'
		[[ ${OPT_QUIET-} ]] || say "Stopping…"
	elif [[ -z $STOPPING ]]; then
		status=1
	fi
	supervise_end
	return "$status"
}

supervise_end() {
	trap '' INT TERM HUP
	trap - EXIT
	set +e
	view_stop
	services_stop
	rm -f "$STATE/dev.pid"
}

supervise_loop() {
	local name tick turns=0
	exec {tick}<> <(:)
	while [[ -z $STOPPING ]]; do
		read -rt 0.2 -u "$tick" || true
		for name in "${SERVICES_IN_ORDER[@]}"; do
			kill -0 "${SERVICE_PID[$name]}" 2>/dev/null || service_again "$name"
		done
		((++turns % 100)) || { logs_trim && space_watch; }
	done
	exec {tick}<&-
}

# A service is gone: say so once, and start it again when its time has come.
service_again() {
	local name=$1 wait=${SERVICE_WAIT[$1]:-0}
	[[ -z $STOPPING && ! -e $RUN/hold/$name ]] || return 0
	if [[ -z ${SERVICE_NEXT[$name]-} ]]; then
		((SECONDS - SERVICE_BEGAN[$name] < 10)) && wait=$((wait * 2 + 1)) || wait=0
		((wait <= 5)) || wait=5
		SERVICE_WAIT[$name]=$wait
		SERVICE_NEXT[$name]=$((SECONDS + wait))
		dev_log warn "$name ended and is started again" "in_s" "$wait"
	fi
	((SECONDS >= SERVICE_NEXT[$name])) || return 0
	service_end "$(service_file "$name")" TERM 2 # what is left of its session
	service_start "$name"
	SERVICE_NEXT[$name]=''
}

# LEVEL MESSAGE [KEY VALUE]; on a full disk nothing is written, and nothing else happens.
dev_log() {
	{ printf '{"level":"%s","program":"dev","msg":"%s"%s}\n' "$1" "$2" "${3:+,\"$3\":\"$4\"}" >>"$(service_log dev)"; } 2>/dev/null || true
}

# Said once for each time the disk is full, also where a full disk cannot keep it.
space_watch() {
	local short
	short=$(space_short "$STATE" "$PGDATA")
	if [[ -n $short && -z $SPACE_SAID ]]; then
		short+='Make room; until then changes may be refused, and afterwards everything goes on by itself.'
		dev_log error "$short"
		warn "$short"
	fi
	SPACE_SAID=$short
}

# --- logs: one file a service; this process never stands between a service and its log.

logs_turn() {
	local name
	for name in dev "${SERVICES_IN_ORDER[@]}"; do
		[[ ! -s $(service_log "$name") ]] || mv -f "$(service_log "$name")" "$(service_log "$name").1"
		: >"$(service_log "$name")"
	done
}

# A log over 64 MB is copied away and emptied, so that a forgotten stack cannot fill the disk.
logs_trim() {
	local name file
	for name in "${SERVICES_IN_ORDER[@]}"; do
		file=$(service_log "$name")
		if (($(stat -c %s "$file" 2>/dev/null || echo 0) > 67108864)); then
			cp -f "$file" "$file.1" 2>/dev/null || rm -f "$file.1"
			: >"$file"
		fi
	done
}

view_start() {
	perl "$ROOT/tools/dev/log-view.pl" --follow "$@" "$STATE/log" 9>&- &
	VIEW=$!
}

view_stop() {
	[[ -n $VIEW ]] || return 0
	sleep 0.3 # the last lines
	kill "$VIEW" 2>/dev/null || true
	wait "$VIEW" 2>/dev/null || true
	VIEW=''
}

stack_env() {
	cat <<-ENV
		STINT_URL=$URL
		PORT=$PORT
		STINT_DATABASE_URL=postgresql://stint_web@/stint?host=$RUN
		STINT_WORKER_DATABASE_URL=postgresql://stint_worker@/stint?host=$RUN
		STINT_MIGRATE_URL=postgresql://stint_migrate@/stint?host=$RUN
		STINT_ADMIN_DATABASE_URL=postgresql://postgres@/stint?host=$RUN
		STINT_REDIS_URL=unix:$RUN/redis.sock
		STINT_MAIL_DIR=$STATE/mail
		STINT_CONF=$STATE/stint.conf
		STINT_LOG_DIR=$STATE/log
		STINT_RUN=$RUN
		STINT_BIN=$BUILD
	ENV
}
