# shellcheck shell=bash
# The stacks that tests run on. Each lane has a whole one, with a database and servers of its own, and runs one program or file
# at a time, so that no test meets another; all of them share one build and one list (TEST_QUEUE), from which whoever is free takes:
# one from its head, where what needs the processor most stands, the next from its end, where what mostly waits does.

LANES=1        # how many
LANES_MOST=4   # each needs about 1 GB
LANE_STACKS=() # the supervisors of their stacks
LANES_RUN=''   # the process that runs them
LANE_CHILD=''  # in a lane: what it runs

# NUMBER: where its stack lives. The first one's folder also keeps the build and what the tests said.
lane_state() { printf '%s/%s' "$VAR" "$(lane_stack "$1")"; }
lane_stack() { (($1 == 1)) && echo test || echo "test-$1"; }

lanes_up() {
	local n most
	most=$(wc -l <"$TEST_QUEUE")
	LANES=$(nproc)
	((LANES <= LANES_MOST)) || LANES=$LANES_MOST
	((LANES <= most)) || LANES=$most
	trap 'lanes_down; exit 130' INT TERM HUP
	for ((n = 1; n <= LANES; n++)); do
		rm -f "$(lane_state "$n")/stack.env"
		setpriv --pdeathsig TERM "$ROOT/dev" _test_stack "$n" "$(port_free 127.0.0.1 0)" </dev/null >"$STATE/log/start-$n.log" 2>&1 9>&- &
		LANE_STACKS+=("$!")
	done
	for ((n = 1; n <= LANES; n++)); do
		lane_ready "$n"
	done
	sed -n 's/^. \(.*\)/✓ \1/p' "$STATE/log/start-1.log"
	test_note ok "the test stack runs"
}

lane_ready() {
	local turns=1200
	until [[ -s $(lane_state "$1")/stack.env ]]; do
		if ! kill -0 "${LANE_STACKS[$1 - 1]}" 2>/dev/null || ((--turns == 0)); then
			sed 's/^/  | /' "$STATE/log/start-$1.log" >&2
			test_note fail "the test stack started"
			lanes_down
			test_verdict 0
		fi
		sleep 0.1
	done
}

cmd__test_stack() {
	stack_use "$(lane_stack "$1")"
	PORT=$2 URL=http://localhost:$2 BUILD=$VAR/test/build OPT_HOST='' OPT_QUIET=1
	# Nothing of an earlier run counts, whose schema may have been another.
	services_stop
	rm -rf "$PGDATA" "$STATE/mail"
	mkdir -m 0700 "$STATE/mail"
	# Tests make many small transactions: spare the disk, not the checks.
	PG_EXTRA=(-c fsync=off -c full_page_writes=off -c log_min_duration_statement=-1)
	config_make
	supervise true
}

# What the tests tell goes to stdout, a line each.
lanes_run() {
	local n
	# shellcheck disable=SC2046 # numbers
	trap 'kill $(jobs -p) 2>/dev/null; exit 1' TERM HUP
	for ((n = 1; n <= LANES; n++)); do
		lane_run "$n" &
	done
	wait
}

lane_run() {
	local from kind name
	(($1 % 2)) && from=1 || from='$'
	LANE_STATE=$(lane_state "$1")
	trap 'kill "$LANE_CHILD" 2>/dev/null; exit 1' TERM HUP
	# shellcheck source=/dev/null
	. <(sed "s/=\(.*\)/='\1'/" "$LANE_STATE/stack.env")
	export STINT_TEST_DATABASE_URL=$STINT_ADMIN_DATABASE_URL STINT_TEST_REDIS_URL=$STINT_REDIS_URL
	export STINT_ROOT=$ROOT STINT_CHROMIUM=${STINT_CHROMIUM:-/usr/bin/chromium-headless-shell}
	while read -r kind name < <(lane_take "$from"); do
		test_one "$kind" "$name"
	done
}

# 1|$: takes that line, the first or the last, out of the list and prints it.
lane_take() {
	local lock
	exec {lock}>>"$TEST_QUEUE.lock"
	flock "$lock"
	sed -n "$1p" "$TEST_QUEUE"
	sed -i "$1d" "$TEST_QUEUE"
}

# COMMAND…: run so that the lane can be told to stop meanwhile.
lane_wait() {
	env --default-signal=INT,QUIT "$@" </dev/null 9>&- &
	LANE_CHILD=$!
	wait "$LANE_CHILD"
}

lanes_down() {
	local pid status
	trap '' INT TERM HUP
	kill ${LANES_RUN:+"$LANES_RUN"} "${LANE_STACKS[@]}" 2>/dev/null || true
	for pid in "${LANE_STACKS[@]}"; do
		status=0
		wait "$pid" || status=$?
		((status == 0)) || warn "a test stack ended with status $status"
	done
	trap - INT TERM HUP
}
