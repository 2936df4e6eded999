# shellcheck shell=bash
# Builds out of tree. Each step leaves a mark only when it is whole, so a run that was killed is
# noticed by the next one and done again.

# FOLDER CONFIGURE-ARGUMENT…
build_tree() {
	local tree=$1 log=$VAR/log
	shift
	node_need
	if [[ ! -e $ROOT/build-aux/.complete || $ROOT/configure.ac -nt $ROOT/build-aux/.complete ]]; then
		run_logged "Making ./configure" "$log/bootstrap.log" "$ROOT/bootstrap" || exit 1
	fi
	mkdir -p "$tree"
	if [[ ! -e $tree/Makefile || $(cat "$tree/.configured" 2>/dev/null) != "$*" ]]; then
		rm -f "$tree/.configured"
		build_configure "$tree" "$log/configure.log" "$@"
		write_file "$tree/.configured" <<<"$*"
	fi
	build_make "$tree" "$log/make.log"
}

build_configure() {
	local tree=$1 log=$2
	shift 2
	run_logged "Configuring $(build_name "$tree")" "$log" sh -c "cd \"\$0\" && exec \"$ROOT/configure\" -q \"\$@\"" "$tree" "$@" || exit 1
}

build_name() { printf '%s' "${1#"$ROOT"/}"; }

build_make() {
	local tree=$1 log=$2 was_killed=''
	if make -C "$tree" -q >/dev/null 2>&1; then
		return 0
	fi
	[[ ! -e $tree/.building ]] || was_killed=1
	: >"$tree/.building"
	if ! run_logged "Building $(build_name "$tree")" "$log" make -C "$tree" -j"$(nproc)"; then
		[[ -n $was_killed ]] || { rm -f "$tree/.building"; exit 1; }
		# A compiler killed half-way can leave half an object that looks new.
		warn "The last build was cut off; building from scratch."
		make -C "$tree" clean >"$log" 2>&1 || true
		run_logged "Building $(build_name "$tree")" "$log" make -C "$tree" -j"$(nproc)" || { rm -f "$tree/.building"; exit 1; }
	fi
	rm -f "$tree/.building"
}
