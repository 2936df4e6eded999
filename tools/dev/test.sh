# shellcheck shell=bash
# ./dev test: a tree built with sanitizers, a stack of its own, and every test: first what
# `make check` runs (Check programs, lints, corpora), then the Node tests against the running stack.
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
	PORT=$(port_free 127.0.0.1 0)
	URL=http://localhost:$PORT
	BUILD=$STATE/build
	export CFLAGS=${CFLAGS:--O1 -g}
	build_tree "$BUILD" --enable-sanitizers --enable-werror
	prepare_end
	test_sanitizers
	test_stack_up
	test_check "$filter"
	test_node "$filter"
	test_stack_down
	[[ -n $filter ]] || test_traces
	test_verdict $((SECONDS - began))
}

# Reports go to the log of whoever makes them; a finding ends the process.
test_sanitizers() {
	export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:halt_on_error=1
	export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
	export LSAN_OPTIONS=suppressions=$ROOT/tools/dev/lsan.supp:print_suppressions=0
}

test_stack_up() {
	local turns=1200
	rm -f "$STATE/stack.env"
	setpriv --pdeathsig TERM "$ROOT/dev" _test_stack "$PORT" </dev/null >"$STATE/log/start.log" 2>&1 9>&- &
	TEST_STACK=$!
	trap 'kill "$TEST_STACK" 2>/dev/null; wait "$TEST_STACK"; exit 130' INT TERM HUP
	until [[ -s $STATE/stack.env ]]; do
		if ! kill -0 "$TEST_STACK" 2>/dev/null || ((--turns == 0)); then
			sed 's/^/  | /' "$STATE/log/start.log" >&2
			test_note fail "the test stack started"
			test_verdict 0
		fi
		sleep 0.1
	done
	sed -n 's/^. \(.*\)/✓ \1/p' "$STATE/log/start.log"
	# shellcheck source=/dev/null
	. <(sed "s/=\(.*\)/='\1'/" "$STATE/stack.env")
	export STINT_TEST_DATABASE_URL=$STINT_ADMIN_DATABASE_URL STINT_TEST_REDIS_URL=$STINT_REDIS_URL
	export STINT_ROOT=$ROOT STINT_CHROMIUM=${STINT_CHROMIUM:-$(command -v chromium || true)}
	test_note ok "the test stack runs at $URL"
}

cmd__test_stack() {
	stack_use test
	PORT=$1 URL=http://localhost:$1 BUILD=$STATE/build OPT_HOST='' OPT_QUIET=1
	# Tests make many small transactions and keep nothing: spare the disk, not the checks.
	PG_EXTRA=(-c fsync=off -c full_page_writes=off -c log_min_duration_statement=-1)
	rm -rf "$STATE/mail" && mkdir -m 0700 "$STATE/mail"
	config_make
	supervise true
}

test_stack_down() {
	local status=0
	kill "$TEST_STACK" 2>/dev/null || true
	wait "$TEST_STACK" || status=$?
	trap - INT TERM HUP
	((status == 0)) || warn "the test stack ended with status $status"
}

# ok|fail NAME: one test of dev's own.
test_note() {
	if [[ $1 == ok ]]; then
		((++PASSED))
		printf '  %sok%s    %s\n' "$GREEN" "$PLAIN" "$2"
	else
		((++FAILED))
		TEST_BROKEN+=("$2")
		printf '  %sFAIL%s  %s\n' "$RED" "$PLAIN" "$2"
	fi
}

# --- make check

test_check() {
	local filter=$1 log=$STATE/log/check.log names=() chosen=() name
	mapfile -t names < <(make -s -C "$BUILD" list-tests)
	for name in "${names[@]}"; do
		[[ $name != *"$filter"* ]] || chosen+=("$name")
	done
	((${#chosen[@]})) || return 0
	say "make check: ${#chosen[@]} programs and scripts"
	make -C "$BUILD" -k -j"$(nproc)" check TESTS= >"$log" 2>&1 || {
		tail -n 30 "$log" | sed 's/^/  | /'
		test_note fail "make check builds"
	}
	for name in "${chosen[@]}"; do
		rm -f "$BUILD/$name.log" "$BUILD/$name.trs"
		timeout --kill-after=10 300 make -s -C "$BUILD" "$name.log" >>"$log" 2>&1 || true
		test_check_result "$name"
	done
}

# Check prints "100%: Checks: 12, Failures: 0, Errors: 0"; what prints no such line is one test.
test_check_result() {
	local name=$1 log=$BUILD/$1.log result checks failures errors sums
	result=$(sed -n 's/^:test-result: //p' "$BUILD/$name.trs" 2>/dev/null) || true
	sums=$(awk '/^[0-9]+%: Checks: / { gsub(/,/, ""); c += $3; f += $5; e += $7; n++ } END { if (n) print c, f, e }' "$log" 2>/dev/null) || true
	read -r checks failures errors <<<"${sums:-0 0 0}" || true
	if [[ $result == SKIP* ]]; then
		((++SKIPPED))
		printf '  skip  %s\n' "$name"
	elif [[ -z $sums || ($result != PASS* && $((failures + errors)) -eq 0) ]]; then
		((PASSED += checks)) || true
		[[ $result == PASS* ]] && test_note ok "$name" || { test_note fail "$name"; test_tail "$log"; }
	else
		test_count "$name" $((checks - failures - errors)) $((failures + errors)) "$log"
	fi
}

test_tail() { [[ ! -e $1 ]] || tail -n "${2:-25}" "$1" | sed 's/^/        | /'; }

# NAME PASSED FAILED LOG
test_count() {
	((PASSED += $2, FAILED += $3)) || true
	if (($3)); then
		TEST_BROKEN+=("$1 ($3 of $(($2 + $3)))")
		printf '  %sFAIL%s  %s: %s passed, %s failed\n' "$RED" "$PLAIN" "$1" "$2" "$3"
		test_tail "$4" 40
	else
		printf '  %sok%s    %s: %s\n' "$GREEN" "$PLAIN" "$1" "$2"
	fi
}

# --- Node

test_node() {
	local filter=$1 file name
	# Only now: variables like STINT_DATABASE_URL would be configuration to programs of the unit tests.
	# shellcheck disable=SC2046 # names
	export $(sed 's/=.*//' "$STATE/stack.env")
	while IFS= read -r file; do
		name=${file#"$ROOT"/}
		[[ $name == *"$filter"* ]] || continue
		test_node_file "$file" "$name"
	done < <(find "$ROOT"/tests/{db,api,jobs,live,browser,ops} -name '*.test.js' 2>/dev/null | sort)
}

test_node_file() {
	local file=$1 name=$2 log status=0 pass fail cancelled skipped began=$SECONDS
	log=$STATE/log/$(tr / - <<<"${name#tests/}").log
	timeout --kill-after=10 "$TEST_FILE_S" env --default-signal=INT,QUIT node --test --test-reporter=tap "$file" >"$log" 2>&1 </dev/null || status=$?
	pass=$(test_tap pass "$log") fail=$(test_tap fail "$log") cancelled=$(test_tap cancelled "$log") skipped=$(test_tap skipped "$log")
	((SKIPPED += skipped)) || true
	fail=$((fail + cancelled))
	# Ended badly without naming a failure (killed, time-out, nothing in it): that is one.
	((status == 0 || fail > 0)) || fail=1
	((pass + fail + skipped > 0)) || fail=1
	if ((fail)); then
		test_tap_failures "$log" >"$log.failures"
		test_count "$name ($((SECONDS - began)) s)" "$pass" "$fail" "$log.failures"
	else
		test_count "$name ($((SECONDS - began)) s)" "$pass" 0 "$log"
	fi
}

test_tap() { awk -v key="$1" '$1 == "#" && $2 == key { n = $3 } END { print n + 0 }' "$2"; }

# The failed tests and what they said; the end of the log when there is no such thing.
test_tap_failures() {
	awk '/^ *not ok / { on = 24 } /^ *ok / { on = 0 } on-- > 0' "$1" | grep -v 'duration_ms' | head -n 60 | grep . || tail -n 25 "$1"
}

# --- what the stack left behind

test_traces() {
	local found
	say "What the stack left in its logs"
	found=$(grep -lE 'ERROR: (Address|Leak|UndefinedBehavior)Sanitizer|runtime error:' "$STATE"/log/*.log | head) || true
	if [[ -n $found ]]; then
		test_note fail "no sanitizer report"
		# shellcheck disable=SC2086 # a list of files without spaces
		grep -hE -A12 'ERROR: (Address|Leak|UndefinedBehavior)Sanitizer|runtime error:' $found | head -n 40 | sed 's/^/        | /'
	else
		test_note ok "no sanitizer report"
	fi
	# Passwords, keys and tokens of the tests carry marks; none may be written down anywhere.
	found=$(grep -lE "$(test_canaries)" "$STATE"/log/{dev,web,live,nginx,postgres,redis,start,migrate}.log 2>/dev/null | head) || true
	if [[ -n $found ]]; then
		test_note fail "no secret in the logs"
		# shellcheck disable=SC2086
		grep -hoE ".{0,60}($(test_canaries)).{0,20}" $found | head -n 5 | sed 's/^/        | /'
	else
		test_note ok "no secret in the logs"
	fi
}

test_canaries() { printf 'canary-|stint-demo-2026|%s' "$(cat "$STATE/secret_key")"; }

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
