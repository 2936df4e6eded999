# shellcheck shell=bash
# Which processes are ours. A pid file holds pid, start time and boot id, so that a number used
# again by somebody else is never taken for ours; and every service leads a session of its own,
# so that what it leaves behind when it is killed hard can still be found and ended.

proc_boot() { cat /proc/sys/kernel/random/boot_id; }

# The fields of /proc/PID/stat behind the name (which may hold spaces): state is the first.
proc_stat() {
	local line
	line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	printf '%s\n' "${line##*) }"
}

proc_start_time() {
	local -a fields
	read -ra fields < <(proc_stat "$1") || return 1
	printf '%s\n' "${fields[19]}"
}

proc_record() { # FILE PID
	printf '%s %s %s\n' "$2" "$(proc_start_time "$2" || echo 0)" "$(proc_boot)" | write_file "$1"
}

# FILE: prints the pid when that very process is still there.
proc_alive() {
	local pid start boot
	[[ -s $1 ]] || return 1
	read -r pid start boot <"$1" || return 1
	[[ ${boot-} == "$(proc_boot)" && $(proc_start_time "$pid") == "$start" ]] || return 1
	local state
	state=$(proc_stat "$pid") || return 1
	[[ $state != Z* ]] || return 1
	printf '%s\n' "$pid"
}

# SESSION: pids of its members and of their descendants (PostgreSQL's lead sessions of their own), but zombies.
session_members() {
	# Processes vanish while they are looked at: what cat misses is gone.
	{ cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v sid="$1" '
		{ pid = $1; sub(/^.*\) /, ""); parent[pid] = $2; if ($1 != "Z") alive[pid]; if ($4 == sid) in_it[pid] }
		END {
			do {
				more = 0
				for (pid in parent)
					if (!(pid in in_it) && parent[pid] in in_it) { in_it[pid]; more = 1 }
			} while (more)
			for (pid in in_it) if (pid in alive) print pid
		}'
}

# FILE SIGNAL SECONDS: ends the service the file names and all of its session; kills after SECONDS.
service_end() {
	local file=$1 signal=$2 turns=$(($3 * 10)) pid='' start='' boot='' now members
	[[ -f $file ]] || return 0
	read -r pid start boot 2>/dev/null <"$file" || true
	now=$(proc_start_time "$pid" 2>/dev/null) || now=''
	if [[ ! $pid =~ ^[0-9]+$ || $boot != "$(proc_boot)" || (-n $now && $now != "$start") ]]; then
		rm -f "$file" # another boot, or the number has gone to somebody else
		return 0
	fi
	# A leader tells its own people; those it left behind are told one by one.
	members=${now:+$pid}
	# shellcheck disable=SC2086 # a list of numbers
	kill -s "$signal" ${members:-$(session_members "$pid")} 2>/dev/null || true
	while members=$(session_members "$pid") && [[ -n $members ]] && ((turns-- > 0)); do
		sleep 0.1
	done
	if [[ -n $members ]]; then
		warn "$(basename "$file" .pid) did not end within $3 s and is killed."
		# shellcheck disable=SC2086
		kill -s KILL $members 2>/dev/null || true
		turns=50
		# shellcheck disable=SC2086
		while kill -0 $members 2>/dev/null && ((turns-- > 0)); do
			sleep 0.1
		done
	fi
	rm -f "$file"
}
