# shellcheck shell=bash
# Debian packages: what is missing is installed, through sudo when not root, and without any
# service of the system being started or left to start at the next boot.

PACKAGES_UP=(gcc libc6-dev make autoconf automake pkg-config perl gettext libfcgi-dev libpq-dev libhiredis-dev
	libjson-c-dev libsodium-dev libtalloc-dev libcurl4-openssl-dev libevent-dev libwslay-dev libssl-dev check nginx postgresql redis-server openssl ca-certificates tzdata procps)
PACKAGES_TEST=(chromium-headless-shell libfcgi-bin python3 python3-aiosmtpd systemd python3-celery python3-redis)
PACKAGES_LINT=(clang clang-format clang-tidy cppcheck shellcheck)
PACKAGES_BENCH=(wrk celery python3-redis ruby-sidekiq redis-tools)
SERVICES=(nginx redis-server postgresql) # units those packages bring
POLICY=/usr/sbin/policy-rc.d
CLUSTERS=/etc/postgresql-common/createcluster.conf

# up|test|lint|bench: the names that are not installed.
packages_missing() {
	local -n list=PACKAGES_${1^^}
	local name state
	local -A there=()
	while read -r name state; do
		[[ $state != installed ]] || there[$name]=1
	done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${list[@]}" 2>/dev/null)
	for name in "${list[@]}"; do
		[[ -n ${there[$name]-} ]] || printf '%s\n' "$name"
	done
}

packages_need() {
	local kind missing=()
	if ! have dpkg-query || ! have apt-get; then
		have nginx && have redis-server && have gcc ||
			die "This is not Debian, and something is missing." "Stint's stack is made for Debian 12. Install these or their like: ${PACKAGES_UP[*]}"
		return 0
	fi
	if packages_cut_off; then
		packages_unhush ||
			die "An installation of packages was cut off here, and cleaning up after it needs root." "Ask an administrator to run ./dev up in $ROOT once."
	fi
	for kind in "$@"; do
		mapfile -t -O ${#missing[@]} missing < <(packages_missing "$kind")
	done
	if ((${#missing[@]})); then
		packages_install "${missing[@]}"
	elif [[ -s $VAR/packages.fresh ]]; then
		packages_keep_down
	fi
}

# An installation was killed half-way.
packages_cut_off() {
	grep -qs 'made by ./dev of Stint' "$POLICY" || [[ -e $POLICY.stint || -e $CLUSTERS.stint ]]
}

as_root() {
	if is_root; then "$@"; else sudo "$@"; fi
}

packages_install() {
	local log=$VAR/log/packages.log status=0
	say "Installing ${#*} Debian packages: $*"
	if ! is_root; then
		have sudo || die "These packages are missing and there is no sudo." "Ask an administrator to run:" "apt-get install --no-install-recommends $*"
		sudo -v || die "sudo refused." "Ask an administrator to run:" "apt-get install --no-install-recommends $*"
	fi
	packages_fresh "$@"
	packages_hush
	trap packages_unhush EXIT
	trap 'exit 130' INT TERM HUP
	packages_fetch "$log" "$@" || status=$?
	packages_unhush
	packages_keep_down
	trap - EXIT INT TERM HUP
	((status == 0)) || die "The packages could not be installed." "See $log; mend what it says (network? disk? another apt running?) and run the same command again."
}

# LOG PACKAGE…
packages_fetch() {
	local log=$1
	shift
	local -a sudo=() apt=(env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get
		-o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)
	is_root || sudo=(sudo)
	# What an earlier installation, killed half-way, left: as far as it goes now, the rest when packages can be fetched. Its
	# dpkg, which leads a session of its own, may still be at work.
	# shellcheck disable=SC2016 # for sh
	run_logged "Looking after unfinished packages" "$log" "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C sh -c '
		for turn in $(seq 150); do
			said=$(dpkg --configure -a --force-confdef --force-confold 2>&1) && exit 0
			printf "%s\n" "$said"
			case $said in *lock*) sleep 2 ;; *) exit 0 ;; esac
		done' || return 1
	run_logged "Reading the package lists" "$log" "${sudo[@]}" "${apt[@]}" update || return 1
	[[ -z $(dpkg --audit 2>&1) ]] ||
		run_logged "Mending unfinished packages" "$log" "${sudo[@]}" "${apt[@]}" install --fix-broken -y --no-install-recommends || return 1
	if [[ " $* " == *" postgresql "* ]]; then
		run_logged "Preparing PostgreSQL's packages" "$log" "${sudo[@]}" "${apt[@]}" install -y --no-install-recommends postgresql-common || return 1
		packages_no_cluster
	fi
	run_logged "Installing packages" "$log" "${sudo[@]}" "${apt[@]}" install -y --no-install-recommends "$@"
}

# PACKAGE…: notes which services come with these, before they do.
packages_fresh() {
	local package
	for package in "${SERVICES[@]}"; do
		[[ " $* " != *" $package "* ]] || printf '%s\n' "$package"
	done >>"$VAR/packages.fresh"
}

# What was not here before must not start by itself at the next boot either; also without systemd, which may come later.
# What is only half installed cannot be told yet and is told the next time.
packages_keep_down() {
	local package left=''
	while read -r package; do
		[[ ! -e /etc/init.d/$package ]] || as_root update-rc.d "$package" disable >>"$VAR/log/packages.log" 2>&1 || left+=$package$'\n'
	done < <(sort -u "$VAR/packages.fresh" 2>/dev/null)
	printf '%s' "$left" >"$VAR/packages.fresh"
}

# While packages are installed their scripts may start nothing…
packages_hush() {
	as_root sh -c "if [ -e $POLICY ] && [ ! -e $POLICY.stint ]; then mv $POLICY $POLICY.stint; fi
		printf '#!/bin/sh\n# made by ./dev of Stint while it installs packages\nexit 101\n' >$POLICY && chmod 755 $POLICY"
}

# … and PostgreSQL makes no cluster of its own.
packages_no_cluster() {
	as_root sh -c "[ -e $CLUSTERS.stint ] || { cp -p $CLUSTERS $CLUSTERS.stint.new && mv $CLUSTERS.stint.new $CLUSTERS.stint; }; echo 'create_main_cluster = false' >>$CLUSTERS"
}

# Both as they were; also after a run that was killed, since it looks at what lies there.
packages_unhush() {
	as_root sh -c "if grep -qs 'made by ./dev of Stint' $POLICY; then rm -f $POLICY; fi
		if [ -e $POLICY.stint ]; then mv $POLICY.stint $POLICY; fi
		if [ -e $CLUSTERS.stint ]; then mv $CLUSTERS.stint $CLUSTERS; fi"
}
