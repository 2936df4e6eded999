# shellcheck shell=bash
# ./dev up: everything from a fresh clone to a running stack.

OPT_HOST='' OPT_PORT='' OPT_DETACH='' OPT_DEMO=yes OPT_QUIET=''
PG_EXTRA=()

up_options() {
	while (($#)); do
		case $1 in
		--port)
			OPT_PORT=${2-}
			[[ $OPT_PORT =~ ^[0-9]{1,5}$ ]] && ((OPT_PORT >= 1 && OPT_PORT <= 65535)) || die "--port needs a number from 1 to 65535."
			shift
			;;
		--host)
			OPT_HOST=${2-}
			[[ $OPT_HOST =~ ^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$ ]] || die "--host needs a host name or an IPv4 address, for example: --host stint.lan"
			shift
			;;
		--detach) OPT_DETACH=1 ;;
		--no-demo) OPT_DEMO=no ;;
		*) die "./dev up does not know $1." "See ./dev help." ;;
		esac
		shift
	done
}

# PORT and URL from the options.
up_address() {
	if [[ -n $OPT_HOST ]]; then
		PORT=${OPT_PORT:-8443}
		URL=https://$OPT_HOST
		[[ $PORT == 443 ]] || URL+=:$PORT
	else
		PORT=${OPT_PORT:-8080}
		URL=http://localhost:$PORT
	fi
}

port_free() { perl "$ROOT/tools/dev/port-free.pl" "$1" "$2"; }

port_need() {
	local address=127.0.0.1 why
	[[ -z $OPT_HOST ]] || address=0.0.0.0
	why=$(port_free "$address" "$PORT") || die "Port $PORT cannot be had: $why." \
		"Stop the program that has it, or choose another: ./dev up --port $((PORT < 65535 ? PORT + 1 : 8080))"
}

# A stack of this clone that runs already is not an accident to be repaired.
up_running() {
	local pid url
	pid=$(proc_alive "$STATE/dev.pid") || return 0
	url=$(sed -n 's/^STINT_URL=//p' "$STATE/stack.env" 2>/dev/null) || true
	die "This clone's stack runs already${url:+ at $url} (process $pid)." "Watch it with ./dev logs, stop it with ./dev down."
}

cmd_up() {
	up_options "$@"
	var_make
	lock_take "$VAR/lock" || { STATE=$VAR && up_running; die "Another ./dev is working in this clone." "Wait for it to end, or stop it."; }
	prepare_begin
	packages_need up
	stack_use dev
	up_address
	services_stop # leftovers of a run that was killed hard would hold the port
	port_need
	BUILD=$ROOT/_build
	[[ -x $BUILD/stint-web && -e $PGDATA/PG_VERSION ]] && need_space "$ROOT" 100 || need_space "$ROOT" 400
	build_tree "$BUILD"
	prepare_end
	if [[ -n $OPT_DETACH ]]; then
		up_detached
	else
		cmd__run "$(up_settings)"
	fi
}

# What the process that stays needs to know, as one word.
up_settings() { printf '%s|%s|%s|%s' "$OPT_HOST" "$PORT" "$URL" "$OPT_DEMO"; }

up_detached() {
	local log=$STATE/log/start.log pid turns=1200
	lock_drop
	rm -f "$STATE/stack.env"
	(descriptors_drop; exec setsid "$ROOT/dev" _run "$(up_settings)" detached) </dev/null >"$log" 2>&1 &
	pid=$!
	disown "$pid"
	until [[ -s $STATE/stack.env ]]; do
		if ! kill -0 "$pid" 2>/dev/null || ((--turns == 0)); then
			cat "$log" >&2
			die "The stack did not start." "The logs are in $STATE/log."
		fi
		sleep 0.1
	done
	cat "$log"
	say "It keeps running. Logs: ./dev logs   Stop: ./dev down"
}

# SETTINGS [detached]: the supervisor itself.
cmd__run() {
	local detached=${2-}
	IFS='|' read -r OPT_HOST PORT URL OPT_DEMO <<<"$1"
	if [[ -n $detached ]]; then
		lock_take "$VAR/lock" || die "Another ./dev is working in this clone." "Wait for it to end, or stop it."
		stack_use dev
		BUILD=$ROOT/_build
		OPT_QUIET=1
	fi
	config_make
	if [[ -n $detached ]]; then supervise up_greet; else supervise up_follow; fi
}

up_greet() {
	say ""
	say "  ${BOLD}Stint is at $URL$PLAIN"
	if [[ $OPT_DEMO == yes ]]; then
		say "  owner@demo.test, manager@demo.test, member@demo.test   password: stint-demo-2026"
		[[ -z $OPT_HOST ]] || warn "Everybody knows this password. For real use: ./dev reset, then ./dev up --host $OPT_HOST --no-demo"
	fi
	if [[ -n $OPT_HOST ]]; then
		say "  Browsers trust it once they know ${STATE#"$ROOT"/}/tls/ca.crt; its fingerprint:"
		say "  $(openssl x509 -in "$STATE/tls/ca.crt" -noout -fingerprint -sha256 | sed 's/.*=//')"
	else
		say "  Mail it writes: $URL/dev/mail"
	fi
	say ""
}

up_follow() {
	up_greet
	say "${DIM}Ctrl-C stops everything. The log follows.$PLAIN"
	view_start
}
