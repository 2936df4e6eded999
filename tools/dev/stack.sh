# shellcheck shell=bash
# Where a stack lives. There are three, alike in all but size: dev (./dev up), test and bench. Each
# has its own cluster, Redis, nginx, port and folders, so that none can hurt another.
#
#   $STATE   ./var, ./var/test, ./var/bench: configuration, logs, mail, keys
#   $RUN     sockets and pid files: a short 0700 folder elsewhere (socket paths end at 107 bytes), linked as $STATE/run
#   $PGDATA  the cluster; as root below /var/lib, since initdb refuses root and `postgres` could not
#            walk into a clone below a 0700 home; linked as $STATE/pg. A user's lies in $STATE itself.

# NAME: sets the variables and makes the folders.
stack_use() {
	STACK=$1
	STATE=$VAR
	[[ $STACK == dev ]] || STATE=$VAR/$STACK
	mkdir -p "$STATE/log" "$STATE/mail" 2>/dev/null ||
		die_unwritten "$STATE/log" "Is ./var yours, and are its folders log and mail folders?"
	[[ -O $STATE ]] || die "$STATE belongs to $(stat -c %U "$STATE")." "Run dev as that user, or remove the folder as that user first."
	if is_root; then
		id postgres >/dev/null 2>&1 || die "There is no user postgres on this machine." "Install the package postgresql, or run dev as a user."
		AS_PG=(setpriv --reuid postgres --regid postgres --init-groups)
	else
		AS_PG=(setpriv)
	fi
	stack_run_folder
	stack_data_folder
	chmod 0700 "$STATE/mail"
}

stack_run_folder() {
	local parent=/tmp/stint-$EUID-
	if is_root; then
		parent=/run/stint-dev-
	elif [[ -d ${XDG_RUNTIME_DIR-} && -O ${XDG_RUNTIME_DIR-} && ${#XDG_RUNTIME_DIR} -lt 40 ]]; then
		parent=$XDG_RUNTIME_DIR/stint-
	fi
	RUN=$parent$(clone_hash)-$STACK
	mkdir -m 0700 "$RUN" 2>/dev/null || true
	# In /tmp somebody else may have been there first.
	[[ -d $RUN && ! -L $RUN ]] || die "$RUN is not a folder." "Remove it and run the same command again."
	if is_root; then
		chown postgres:postgres "$RUN"
	elif [[ ! -O $RUN ]]; then
		die "$RUN belongs to somebody else." "Ask them to remove it, or set XDG_RUNTIME_DIR to a folder of yours."
	fi
	chmod 0700 "$RUN"
	mkdir -p "$RUN/hold" "$RUN/nginx"
	ln -sfn "$RUN" "$STATE/run"
}

stack_data_folder() {
	local home=$STATE linked
	if ! is_root; then
		PGDATA=$home/pg
		return 0
	fi
	linked=$(readlink "$STATE/pg" 2>/dev/null) || linked=''
	if [[ -n $linked && -d $linked && $(cat "${linked%/*}/clone" 2>/dev/null) != "$ROOT" ]]; then
		stack_data_adopt "${linked%/*}" || linked=''
	fi
	if [[ -z $linked || ! -d ${linked%/*} ]]; then
		linked=/var/lib/stint-dev/$(clone_hash)-$STACK/pg
	fi
	home=${linked%/*}
	mkdir -p "$home"
	chmod 0755 /var/lib/stint-dev "$home"
	chown postgres:postgres "$home"
	[[ -e $home/clone ]] || write_file "$home/clone" <<<"$ROOT"
	PGDATA=$linked
	ln -sfn "$PGDATA" "$STATE/pg"
}

# The folder was made for a clone at another path. When that is gone this clone was moved and keeps
# its data; when it still uses the folder this clone is a copy and gets its own.
stack_data_adopt() {
	local other
	other=$(cat "$1/clone" 2>/dev/null) || other=''
	if [[ -n $other && $(readlink "$other/${STATE#"$ROOT"/}/pg" 2>/dev/null) == "$1/pg" ]]; then
		warn "This clone was copied from $other, whose data stay there; it gets its own."
		return 1
	fi
	write_file "$1/clone" <<<"$ROOT"
}

# The program directory of the PostgreSQL that made the cluster, or of the newest.
pg_bin() {
	local version
	if [[ -s $PGDATA/PG_VERSION ]]; then
		version=$(cat "$PGDATA/PG_VERSION")
		[[ -x /usr/lib/postgresql/$version/bin/postgres ]] ||
			die "The cluster in $PGDATA was made by PostgreSQL $version, which is not installed any more." \
				"Install postgresql-$version, or give the data up with ./dev reset."
	else
		version=$(cd /usr/lib/postgresql 2>/dev/null && find . -maxdepth 1 -name '[0-9]*' -printf '%f\n' | sort -n | tail -n 1)
		[[ -n $version ]] || die "PostgreSQL is not installed." "Run ./dev up, which installs it."
	fi
	printf '/usr/lib/postgresql/%s/bin' "$version"
}

# Small files without which PostgreSQL does not start, and which can be had again: emptied or lost they must cost no data.
pg_mend() {
	[[ -s $PGDATA/global/pg_control && -s $PGDATA/base/1/PG_VERSION ]] || return 0
	pg_mend_file PG_VERSION "$(cat "$PGDATA/base/1/PG_VERSION")"
	pg_mend_file pg_hba.conf 'local all all trust'
	pg_mend_file postgresql.conf '# Was lost; ./dev gives what matters by itself.'
	# Nobody runs here: a lock file without a content is the trace of somebody killed.
	[[ -s $PGDATA/postmaster.pid ]] || rm -f "$PGDATA/postmaster.pid"
}

pg_mend_file() { # NAME CONTENT
	[[ ! -s $PGDATA/$1 ]] || return 0
	warn "$PGDATA/$1 was empty or lost; it was made anew."
	# shellcheck disable=SC2016 # for sh
	"${AS_PG[@]}" sh -c 'umask 077; printf "%s\n" "$2" >"$1"' sh "$PGDATA/$1" "$2" || die_unwritten "$PGDATA/$1" "Is it yours?"
}

# A new cluster is made beside its place and moved there when it is whole.
pg_make() {
	local bin
	pg_mend
	bin=$(pg_bin)
	[[ ! -s $PGDATA/PG_VERSION ]] || return 0
	need_space "${PGDATA%/*}" 300
	if [[ -d $PGDATA && ! -L $PGDATA ]]; then # made by no whole initdb: keep it, but out of the way
		mv "$PGDATA" "$PGDATA.broken.$(date +%s)"
		warn "$PGDATA held no usable cluster; it was set aside."
	fi
	rm -rf "$PGDATA.new"
	# Anyone who can reach the socket may be anyone: the 0700 folder it lies in is the guard.
	run_logged "Making a PostgreSQL cluster" "$STATE/log/initdb.log" "${AS_PG[@]}" "$bin/initdb" --pgdata "$PGDATA.new" \
		--username postgres --auth-local trust --auth-host reject --encoding UTF8 --locale C.UTF-8 --no-instructions || exit 1
	mv "$PGDATA.new" "$PGDATA"
}

pg_ask() { "$(pg_bin)/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$RUN" -U postgres "$@"; }

# With the cluster running: the database, its schema and the demo.
db_prepare() {
	local log=$STATE/log/migrate.log role=postgres
	[[ $(pg_ask -d postgres -c "SELECT 1 FROM pg_database WHERE datname = 'stint'") == 1 ]] ||
		pg_ask -d postgres -c "CREATE DATABASE stint ENCODING 'UTF8' TEMPLATE template0 LOCALE 'C.UTF-8'"
	# The first migration makes the roles and so needs a superuser; later ones run as the role for it.
	[[ $(pg_ask -d stint -c "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'stint_migrate'") != t ]] || role=stint_migrate
	STINT_MIGRATE_URL="host=$RUN dbname=stint user=$role" \
		run_logged "Migrating the database" "$log" "$BUILD/stint" migrate || return 1
	if [[ ${OPT_DEMO-yes} == yes ]]; then
		STINT_MIGRATE_URL="host=$RUN dbname=stint user=$role" \
			run_logged "Loading the demo" "$log" "$BUILD/stint" demo || return 1
	fi
	# Until it has looked at its tables PostgreSQL plans badly, and by itself it looks only after a minute.
	[[ $(pg_ask -d stint -c "SELECT 1 FROM pg_stat_user_tables WHERE relid = 'data.time_entries'::regclass
		AND last_analyze IS NULL AND last_autoanalyze IS NULL") != 1 ]] || pg_ask -d stint -c ANALYZE
}
