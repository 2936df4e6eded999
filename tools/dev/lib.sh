# shellcheck shell=bash
# What every part of dev leans on: messages, progress of long commands, safe files, the clone's lock.

VAR=$ROOT/var
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # nginx lives there, and a user's PATH does not
export LC_ALL=C.UTF-8

if [[ -t 1 && -z ${NO_COLOR-} ]]; then
	BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
else
	BOLD='' DIM='' RED='' GREEN='' YELLOW='' PLAIN=''
fi

say() { printf '%s\n' "$*"; }
done_() { printf '%s✓%s %s\n' "$GREEN" "$PLAIN" "$*"; }
warn() { printf '%s!%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }

# The first argument says what is wrong, the others what to do about it.
die() {
	printf '%s✗ %s%s\n' "$RED" "$1" "$PLAIN" >&2
	shift
	local line
	for line in "$@"; do
		[[ -z $line ]] || printf '  %s\n' "$line" >&2
	done
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [[ $EUID -eq 0 ]]; }

# TITLE LOG COMMAND…: runs it with its output in LOG and shows that it lives; when it fails, the end of LOG.
run_logged() {
	local title=$1 log=$2 began=$SECONDS status=0 pid
	shift 2
	{ : >"$log"; } 2>/dev/null || die_unwritten "$log" "Is ./var yours?"
	# Started in the background, a shell's child would ignore Ctrl-C; env undoes that.
	env --default-signal=INT,QUIT "$@" >>"$log" 2>&1 &
	pid=$!
	run_watch "$pid" "$title" "$log"
	wait "$pid" || status=$?
	[[ -t 1 ]] && printf '\r\e[K'
	if ((status)); then
		printf '%s✗ %s failed%s (all of it is in %s):\n' "$RED" "$title" "$PLAIN" "$log" >&2
		tail -n 30 "$log" | sed 's/^/  | /' >&2
		space_explain "$log" "${log%/*}"
		return "$status"
	fi
	done_ "$title ${DIM}($((SECONDS - began)) s)$PLAIN"
}

# On a terminal one changing line; elsewhere a line every ten seconds.
run_watch() {
	local pid=$1 title=$2 log=$3 ticks=0 last
	while kill -0 "$pid" 2>/dev/null; do
		if [[ -t 1 ]]; then
			last=$(tail -n 1 "$log" | tr -d '\r\t\033' | cut -c1-70)
			printf '\r\e[K%s %s%s%s' "… $title" "$DIM" "$last" "$PLAIN"
		elif ((ticks % 50 == 49)); then
			last=$(tail -n 1 "$log" | tr -d '\r\t\033' | cut -c1-90)
			say "… $title: $(wc -l <"$log") lines so far, now: $last"
		fi
		((++ticks))
		sleep 0.2
	done
}

# FILE: stdin becomes the file whole or not at all, so that a full disk or a kill leaves no half one.
write_file() {
	local new="$1.new.$$"
	if ! { cat >"$new" && mv -fT "$new" "$1"; } 2>/dev/null; then
		rm -f "$new"
		die_unwritten "$1" "Is the folder yours, and is there no folder in the file's place?"
	fi
}

# FILE REMEDY: a full disk is the likelier cause, and then no other is guessed at.
die_unwritten() {
	local short
	short=$(space_short "$(dirname "$1")")
	die "Could not write $1." "${short:-$2}" "${short:+Make room and run the same command again; what was whole is kept.}"
}

# FOLDER…: says which of their disks, or of those that programs use for themselves, are full.
space_short() {
	df -Pk "$@" /tmp /var 2>/dev/null | awk 'NR > 1 && int($4 / 1024) < 20 && !seen[$6]++ { printf "The disk is full: %d MB are free on %s. ", $4 / 1024, $6 }'
}

# LOG FOLDER…: the log counts too, since what fails on a full disk may tidy up after itself.
space_explain() {
	local log=$1 short
	shift
	short=$(space_short "$@")
	[[ -n $short ]] || ! tail -n 100 "$log" 2>/dev/null | grep -q 'No space left on device' || short='The disk was full. '
	[[ -z $short ]] || printf '  %s%s%s\n' "$BOLD" "${short}Make room and run the same command again; what was whole is kept." "$PLAIN" >&2
}

# FOLDER MEGABYTES
need_space() {
	local folder=$1 least=$2 free
	free=$(df -Pk "$folder" | awk 'NR==2 {print int($4 / 1024)}')
	if ((free < least)); then
		die "Only $free MB are free where $folder lives; $least MB are needed." \
			"Nothing was started and nothing was lost. Make room and run the same command again."
	fi
}

var_make() {
	mkdir -p "$VAR/log" 2>/dev/null && [[ -w $VAR && -w $VAR/log ]] ||
		die_unwritten "$VAR/log" "Is the clone yours, and are ./var and ./var/log folders?"
}

# Eight characters that are this clone's alone: they name its folders outside of it.
clone_hash() { printf '%s' "$ROOT" | sha256sum | cut -c1-8; }

# FILE: the lock is held as descriptor 9 until this process ends; services are started without it.
lock_take() {
	exec 9>>"$1" || die "Could not open $1." "Is ./var yours? Remove it, or run dev as its owner."
	flock --timeout 2 9 # what was just killed or has just failed may take a moment to be gone
}
lock_drop() { exec 9>&-; }

# What stays running must hold nothing of whoever started it: a lock, or a pipe somebody waits on.
descriptors_drop() {
	local fd
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		((fd <= 2)) || eval "exec $fd>&-"
	done
}

# Packages, Node and ./configure are got ready by one ./dev at a time; another one waits.
prepare_begin() {
	var_make
	exec 8>>"$VAR/prepare.lock" || die "Could not open $VAR/prepare.lock." "Is ./var yours? Remove it, or run dev as its owner."
	flock --nonblock 8 || {
		say "Another ./dev of this clone is installing or building; waiting for it…"
		flock 8
	}
}
prepare_end() { exec 8>&-; }
