# shellcheck shell=bash
# ./dev bench: a stack of its own with the optimised build, a million entries, a bare libfcgi program beside it, and
# tests/bench/run.js, which drives both and tells. The data stay in ./var/bench for the next time.

cmd_bench() {
	local json=''
	while (($#)); do
		case $1 in
		--json)
			[[ -n ${2-} ]] || die "--json needs the name of a file."
			json=$(realpath -m "$2")
			[[ -d ${json%/*} ]] || die "There is no folder ${json%/*}."
			shift
			;;
		*) die "./dev bench does not know $1." "usage: ./dev bench [--json FILE]" ;;
		esac
		shift
	done
	var_make
	lock_take "$VAR/bench.lock" || die "Another ./dev bench runs in this clone." "Wait for it to end."
	prepare_begin
	packages_need up bench
	stack_use bench
	PORT=$(port_free 127.0.0.1 0)
	URL=http://localhost:$PORT
	BUILD=$ROOT/_build
	build_tree "$BUILD"
	prepare_end
	bench_bare
	need_space "${PGDATA%/*}" 2000
	bench_stack_up
	bench_data
	bench_run "$json"
}

# The baseline knows Stint's SQL from the same generated file.
bench_bare() {
	local flags
	read -ra flags < <(pkg-config --cflags --libs libpq)
	run_logged "Building what measures" "$STATE/log/test-worker-build.log" make -C "$BUILD" tests/jobs/stint-test-worker tests/bench/live || exit 1
	run_logged "Building the jobs' baseline" "$STATE/log/bare-build.log" gcc -O2 -std=gnu17 -D_GNU_SOURCE -Wall -o "$STATE/bare-jobs" \
		"$ROOT/tests/bench/bare-jobs.c" "${flags[@]}" -lhiredis || exit 1
	run_logged "Building the baseline" "$STATE/log/bare-build.log" gcc -O2 -std=gnu17 -D_GNU_SOURCE -Wall -I"$ROOT/src" -o "$STATE/bare" \
		"$ROOT/tests/bench/bare.c" "$ROOT/src/db/query.c" "$BUILD/src/db/queries.gen.c" "${flags[@]}" -lfcgi || exit 1
}

bench_stack_up() {
	local turns=1200
	rm -f "$STATE/stack.env"
	setpriv --pdeathsig TERM "$ROOT/dev" _bench_stack "$PORT" </dev/null >"$STATE/log/start.log" 2>&1 9>&- &
	BENCH_STACK=$!
	trap bench_stack_down EXIT
	trap 'exit 130' INT TERM HUP
	until [[ -s $STATE/stack.env ]]; do
		if ! kill -0 "$BENCH_STACK" 2>/dev/null || ((--turns == 0)); then
			sed 's/^/  | /' "$STATE/log/start.log" >&2
			die "The stack to be measured did not start." "The logs are in $STATE/log."
		fi
		sleep 0.1
	done
}

cmd__bench_stack() {
	stack_use bench
	PORT=$1 URL=http://localhost:$1 BUILD=$ROOT/_build OPT_HOST='' OPT_QUIET=1 OPT_DEMO=no
	PG_EXTRA=(-c max_wal_size=8GB -c checkpoint_timeout=1h)
	config_make
	bench_config
	supervise true
}

# No limits of rate, and workers that stay, so that their memory can be watched.
bench_config() {
	sed -i '/^rate_/d' "$STATE/stint.conf"
	printf 'rate_per_minute = 0\nworker_requests = 0\n' >>"$STATE/stint.conf"
	head -c 1024 /dev/zero | tr '\0' x >"$STATE/nginx/static-1k"
	write_file "$STATE/nginx/extra/bench.conf" <<-CONF
		location /bench/bare/ {
			include $STATE/nginx/stint-fastcgi.conf;
			fastcgi_pass unix:$RUN/bare.sock;
		}
		location = /bench/static {
			alias $STATE/nginx/static-1k;
			open_file_cache max=10;
		}
	CONF
}

bench_data() {
	[[ $(pg_ask -d stint -c "SELECT count(*) FROM (SELECT FROM data.users WHERE email = 'bench-1@bench.test') AS u") != 1 ]] || return 0
	run_logged "Loading a million entries" "$STATE/log/data.log" "$(pg_bin)/psql" -X -q -v ON_ERROR_STOP=1 -h "$RUN" -U postgres \
		-d stint -f "$ROOT/sql/bench.sql" || exit 1
	pg_ask -d stint -c 'VACUUM ANALYZE' -c CHECKPOINT
}

bench_run() {
	(
		set -a
		# shellcheck source=/dev/null
		. <(sed "s/=\(.*\)/='\1'/" "$STATE/stack.env")
		set +a
		BENCH_STATE=$STATE BENCH_PSQL=$(pg_bin)/psql BENCH_JSON=$1 exec node "$ROOT/tests/bench/run.js"
	)
}

bench_stack_down() {
	trap '' INT TERM HUP
	kill "$BENCH_STACK" 2>/dev/null || true
	wait "$BENCH_STACK" 2>/dev/null || warn "The measured stack ended badly; its logs are in $STATE/log."
}
