# shellcheck shell=bash
# The commands that are only a few lines, and the table of all.

command_main() {
	local name=${1:-help}
	(($#)) && shift
	case $name in
	up | down | test | bench | env | logs | psql | fmt | lint | reset | help | _run | _test_stack | _bench_stack) "cmd_$name" "$@" ;;
	-h | --help) cmd_help ;;
	*)
		cmd_help >&2
		die "There is no command $name."
		;;
	esac
}

cmd_help() {
	cat <<-HELP
		usage: ./dev COMMAND

		  up [--port N] [--host NAME] [--detach] [--no-demo]
		                    install what is missing, build, and run Stint with demo data
		                    --port N     instead of 8080 (8443 with --host)
		                    --host NAME  serve other machines under that name, with TLS by a local authority
		                    --detach     keep running in the background
		                    --no-demo    without the demo's people (for real use)
		  down              stop what up --detach left running
		  test [--long] [FILTER]
		                    build with sanitizers and run every test whose name contains FILTER
		                    --long       with the parts that take up to an hour: 100,000 jobs and 200 kills, say
		  bench [--json FILE]
		                    measure against the baseline
		  lint              every check of the sources; fmt formats the C files
		  env               addresses of the running stack as KEY=value lines
		  logs [--follow]   its logs, readable
		  psql [ARG…]       psql in its database, as superuser
		  reset [--yes]     stop it and delete all of its data
	HELP
}

# A stack that runs, or a clear word.
stack_running() {
	STATE=$VAR
	proc_alive "$STATE/dev.pid" >/dev/null && [[ -s $STATE/stack.env ]] || die "The stack does not run." "Start it with ./dev up."
}

cmd_down() {
	local pid end=$((SECONDS + 60))
	STATE=$VAR
	if pid=$(proc_alive "$STATE/dev.pid"); then
		kill -s TERM "$pid" 2>/dev/null || die "Process $pid is not yours to stop." "Stop it as $(stat -c %U "/proc/$pid")."
		while proc_alive "$STATE/dev.pid" >/dev/null && ((SECONDS < end)); do
			sleep 0.1
		done
		((SECONDS < end)) || kill -s KILL "$pid" 2>/dev/null || true
	else
		say "No supervisor runs; looking for what it may have left."
	fi
	if [[ -d $STATE/run ]]; then
		RUN=$(readlink -f "$STATE/run")
		services_stop
	fi
	done_ "Stint is stopped. Its data stay in ./var."
}

cmd_env() {
	stack_running
	cat "$STATE/stack.env"
}

cmd_logs() {
	STATE=$VAR
	local follow=()
	[[ ${1-} != --follow && ${1-} != -f ]] || follow=(--follow)
	[[ -d $STATE/log ]] || die "There are no logs yet." "Start the stack with ./dev up."
	exec perl "$ROOT/tools/dev/log-view.pl" "${follow[@]}" --last 200 "$STATE/log"
}

cmd_psql() {
	stack_running
	exec psql -h "$(readlink -f "$STATE/run")" -U "${PGUSER:-postgres}" -d stint "$@"
}

# The lines that differ from the last commit: tables that somebody set by hand stay as they are.
cmd_fmt() {
	prepare_begin
	packages_need lint
	prepare_end
	(cd "$ROOT" && git clang-format --extensions c,h --quiet HEAD)
	done_ "The C lines you changed are formatted."
}

cmd_lint() {
	prepare_begin
	packages_need up lint # the deep checks read the headers of all libraries
	prepare_end
	exec "$ROOT/tools/lint/all"
}

cmd_reset() {
	local answer
	if [[ ${1-} != --yes ]]; then
		[[ -t 0 ]] || die "This deletes all data of the stack." "Say it: ./dev reset --yes"
		read -rp "This deletes the database, mails and keys below ./var. Type yes to go on: " answer
		[[ $answer == yes ]] || die "Nothing was deleted."
	fi
	[[ ! -d $VAR ]] || cmd_down
	local data
	for STATE in "$VAR" "$VAR"/test* "$VAR/bench"; do
		data=$(readlink "$STATE/pg" 2>/dev/null) || data=''
		if [[ $data == /var/lib/stint-dev/*/pg && $(cat "${data%/*}/clone" 2>/dev/null) == "$ROOT" ]]; then
			rm -rf "${data%/*}"
		fi
		data=$(readlink "$STATE/run" 2>/dev/null) || data=''
		[[ -z $data ]] || rm -rf "$data"
	done
	# The fetched Node is no data.
	[[ ! -d $VAR ]] || find "$VAR" -mindepth 1 -maxdepth 1 ! -name node ! -name lock -exec rm -rf {} +
	done_ "Everything below ./var is gone."
}
