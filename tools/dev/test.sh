# shellcheck shell=bash
# ./dev test: a tree built with sanitizers, stacks of their own, and every test: what `make check` runs (Check programs,
# lints, corpora) and the Node tests against a running stack.
# Closes with "N passed, N failed"; what crashes, hangs or cannot start counts as failed.

PASSED=0 FAILED=0 SKIPPED=0
TEST_FILE_S=420 # what one file of Node tests may take before it counts as hung
TEST_BROKEN=() # names of what failed, said again at the end

cmd_test() {
	local filter='' began=$SECONDS
	while (($#)); do
		case $1 in
		--long) export STINT_TEST_LONG=1 TEST_FILE_S=3600 ;;
		-*) die "./dev test has no option $1." "See ./dev help." ;;
		*) filter=$1 ;;
		esac
		shift
	done
	var_make
	lock_take "$VAR/test.lock" || die "Another ./dev test runs in this clone." "Wait for it to end."
	prepare_begin
	packages_need up test
	stack_use test
	BUILD=$STATE/build
	export CFLAGS=${CFLAGS:--O1 -g}
	build_tree "$BUILD" --enable-sanitizers --enable-werror
	prepare_end
	test_sanitizers
	test_list "$filter"
	lanes_up
	test_run
	lanes_down
	[[ -n $filter ]] || test_traces
	test_verdict $((SECONDS - began))
}

# Reports go to the log of whoever makes them; a finding ends the process.
test_sanitizers() {
	export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:halt_on_error=1
	export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
	export LSAN_OPTIONS=suppressions=$ROOT/tools/dev/lsan.supp:print_suppressions=0
}

# --- what is run

# Into TEST_QUEUE, a line each: "check NAME" for what `make check` knows, "node FILE" for the others. Lanes take from both ends,
# so what is short stands in the middle: then they end together.
test_list() {
	local filter=$1
	TEST_QUEUE=$STATE/queue
	{
		test_files browser
		make -s -C "$BUILD" list-tests | tr ' ' '\n' | sed 's/^/check /'
		test_files api db live ops jobs
	} | grep -F -- "$filter" >"$TEST_QUEUE" || die "No test is called *$filter*." "The names are those of the files below tests/."
	if grep -q '^check ' "$TEST_QUEUE"; then
		run_logged "Building the programs of make check" "$STATE/log/check.log" make -C "$BUILD" -k -j"$(nproc)" check TESTS= ||
			test_note fail "make check builds"
	fi
}

test_files() { # FOLDER…
	local folder
	for folder; do
		find "$ROOT/tests/$folder" -name '*.test.js' -printf "node tests/$folder/%P\n" | sort
	done
}

# Says and counts what the lanes tell: NAME PASSED FAILED SKIPPED LOG.
test_run() {
	local name passed failed skipped log told open
	open=$(wc -l <"$TEST_QUEUE")
	say "$open programs, scripts and files, $LANES at a time"
	exec {told}< <(lanes_run)
	LANES_RUN=$!
	while IFS=$'\t' read -ru "$told" name passed failed skipped log; do
		test_count "$name" "$passed" "$failed" "$skipped" "$log"
		((--open)) || true
	done
	LANES_RUN=''
	exec {told}<&-
	((open == 0)) || test_note fail "$open of them came to no end"
}

# KIND NAME: in a lane, which runs it to its end and tells what test_run reads.
test_one() {
	local began=$SECONDS passed=0 failed=0 skipped=0 log
	"test_$1" "$2"
	printf '%s\t%s\t%s\t%s\t%s\n' "$2 ($((SECONDS - began)) s)" "$passed" "$failed" "$skipped" "$log"
}

# Check prints "100%: Checks: 12, Failures: 0, Errors: 0"; what prints no such line is one test.
test_check() {
	local result checks=0 bad=0
	log=$BUILD/$1.log
	rm -f "$log" "$BUILD/$1.trs"
	lane_wait timeout --kill-after=10 300 make -s -C "$BUILD" "$1.log" >/dev/null 2>&1 || true
	result=$(sed -n 's/^:test-result: //p' "$BUILD/$1.trs" 2>/dev/null) || true
	read -r checks bad < <(awk '/^[0-9]+%: Checks: / { gsub(/,/, ""); c += $3; f += $5 + $7 } END { print c + 0, f + 0 }' "$log" 2>/dev/null) || true
	passed=$((checks - bad)) failed=$bad
	case $result in
	SKIP*) skipped=1 ;;
	PASS*) ((checks)) || passed=1 ;;
	*) ((failed)) || failed=1 ;; # ended badly without naming a failure
	esac
}

test_node() {
	local status=0 environment
	mapfile -t environment <"$LANE_STATE/stack.env"
	log=$STATE/log/$(tr / - <<<"${1#tests/}").log
	# Only to them: variables like STINT_DATABASE_URL would be configuration to the programs of `make check`.
	lane_wait timeout --kill-after=10 "$TEST_FILE_S" env "${environment[@]}" \
		node --test --test-reporter=tap "$ROOT/$1" >"$log" 2>&1 || status=$?
	passed=$(test_tap pass "$log") skipped=$(test_tap skipped "$log")
	failed=$(($(test_tap fail "$log") + $(test_tap cancelled "$log")))
	# Ended badly without naming a failure (killed, time-out, nothing in it): that is one.
	((status == 0 || failed > 0)) || failed=1
	((passed + failed + skipped > 0)) || failed=1
	((failed == 0)) || test_tap_failures "$log" >"$log.failures"
}

test_tap() { awk -v key="$1" '$1 == "#" && $2 == key { n = $3 } END { print n + 0 }' "$2"; }

# The failed tests and what they said; the end of the log when there is no such thing.
test_tap_failures() {
	awk '/^ *not ok / { on = 24 } /^ *ok / { on = 0 } on-- > 0' "$1" | grep -v 'duration_ms' | head -n 60 | grep . || tail -n 25 "$1"
}

# --- what is told

# ok|fail NAME: one test of dev's own.
test_note() {
	if [[ $1 == ok ]]; then
		test_count "$2" 1 0 0 /dev/null
	else
		test_count "$2" 0 1 0 /dev/null
	fi
}

# NAME PASSED FAILED SKIPPED LOG
test_count() {
	local said=$5
	((PASSED += $2, FAILED += $3, SKIPPED += $4)) || true
	if (($3)); then
		TEST_BROKEN+=("$1: $3 of $(($2 + $3))")
		[[ ! -e $said.failures ]] || said=$said.failures
		printf '  %sFAIL%s  %s: %s passed, %s failed\n' "$RED" "$PLAIN" "$1" "$2" "$3"
		tail -n 40 "$said" 2>/dev/null | sed 's/^/        | /'
	elif (($2)); then
		printf '  %sok%s    %s: %s\n' "$GREEN" "$PLAIN" "$1" "$2"
	else
		printf '  skip  %s\n' "$1"
	fi
}

# --- what the stack left behind

test_traces() {
	local n found='' leaked=''
	say "What the stacks left in their logs"
	for ((n = 1; n <= LANES; n++)); do
		LANE_STATE=$(lane_state "$n")
		found+=$(grep -lE 'ERROR: (Address|Leak|UndefinedBehavior)Sanitizer|runtime error:' "$LANE_STATE"/log/*.log | sed 's/$/ /') || true
		leaked+=$(grep -hoE ".{0,60}($(test_canaries)).{0,20}" "$LANE_STATE"/log/{dev,web,worker,live,nginx,postgres,redis,migrate}.log "$STATE/log/start-$n.log" 2>/dev/null | head -n 5) || true
	done
	if [[ $found ]]; then
		# shellcheck disable=SC2086 # a list of files without spaces
		grep -hE -A12 'ERROR: (Address|Leak|UndefinedBehavior)Sanitizer|runtime error:' $found | head -n 40 >"$STATE/log/traces.failures"
		test_count "no sanitizer report" 0 1 0 "$STATE/log/traces"
	else
		test_note ok "no sanitizer report"
	fi
	if [[ $leaked ]]; then
		write_file "$STATE/log/secrets.failures" <<<"$leaked"
		test_count "no secret in the logs" 0 1 0 "$STATE/log/secrets"
	else
		test_note ok "no secret in the logs"
	fi
}

# Passwords, keys and tokens of the tests carry marks; none may be written down anywhere.
test_canaries() { printf 'canary-|stint-demo-2026|%s' "$(cat "$LANE_STATE/secret_key")"; }

test_verdict() {
	local name
	say ""
	if ((${#TEST_BROKEN[@]})); then
		say "Failed:"
		for name in "${TEST_BROKEN[@]}"; do
			say "  $name"
		done
	fi
	((SKIPPED == 0)) || say "$SKIPPED skipped"
	say "Took $1 s; everything that was said is in ${STATE#"$ROOT"/}/log."
	say "$PASSED passed, $FAILED failed"
	((FAILED == 0 && PASSED > 0)) || exit 1
	exit 0
}
