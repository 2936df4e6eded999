# shellcheck shell=bash
# Builds out of tree. Each step leaves a mark only when it is whole, so a run that was killed is
# noticed by the next one and done again.

# FOLDER CONFIGURE-ARGUMENT…
build_tree() {
	local tree=$1 log=$VAR/log
	shift
	node_need
	if [[ ! -e $ROOT/build-aux/.complete || ! -x $ROOT/configure || ! -s $ROOT/Makefile.in || $ROOT/configure.ac -nt $ROOT/build-aux/.complete ]]; then
		run_logged "Making ./configure" "$log/bootstrap.log" "$ROOT/bootstrap" || exit 1
	fi
	mkdir -p "$tree"
	if [[ ! -s $tree/Makefile || ! -s $tree/config.h || $(cat "$tree/.configured" 2>/dev/null) != "$*" ]]; then
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

# make -q is no help: automake's targets always have something to say.
build_is_whole() {
	local todo
	todo=$(make -C "$1" -n all-am 2>/dev/null) && ! grep -qvE '^make|test -f config\.h' <<<"$todo"
}

# What a killed compiler, or one on a full disk, leaves half-way can look new: then all of it is made again.
build_make() {
	local tree=$1 log=$2
	if [[ -e $tree/.building ]]; then
		warn "The last build was cut off; building from scratch."
		make -C "$tree" clean >"$log" 2>&1 || true
	elif build_is_whole "$tree"; then
		return 0
	fi
	: >"$tree/.building"
	run_logged "Building $(build_name "$tree")" "$log" make -C "$tree" -j"$(nproc)" || {
		[[ -n $(space_short "$tree") ]] || rm -f "$tree/.building"
		exit 1
	}
	rm -f "$tree/.building"
}
