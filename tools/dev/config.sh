# shellcheck shell=bash
# The files a stack runs by, made anew at each start: stint.conf, nginx.conf, keys and certificates.
# What nginx does stands in nginx/, the same files that are installed on a real host; only
# where things lie and what is listened on is said here.

config_make() {
	config_secret
	config_stint | write_file "$STATE/stint.conf"
	export STINT_CONF=$STATE/stint.conf
	[[ -z $OPT_HOST ]] || tls_make "$OPT_HOST"
	config_nginx
}

# On the test stack the key is a canary: it may appear in no log, argument or environment.
config_secret() {
	local prefix=''
	[[ $STACK != test ]] || prefix=canary-key-
	[[ -s $STATE/secret_key ]] || (umask 077 && printf '%s%s\n' "$prefix" "$(openssl rand -hex 32)" | write_file "$STATE/secret_key")
}

config_stint() {
	local dev=true strict=false
	# Who sees /dev/mail can take any account over: with --host only this machine's files show mail.
	[[ -z $OPT_HOST ]] || dev=false
	[[ $STACK != test ]] || strict=true
	cat <<-CONF
		# Made by ./dev at each start; changes here are lost.
		database_url = host=$RUN dbname=stint user=stint_web
		worker_url = host=$RUN dbname=stint user=stint_worker
		migrate_url = host=$RUN dbname=stint user=stint_migrate
		redis_url = unix:$RUN/redis.sock
		web_socket = $RUN/web.sock
		auth_socket = $RUN/auth.sock
		live_socket = $RUN/live.sock
		public_url = $URL
		secret_key_file = $STATE/secret_key
		templates_dir = $ROOT/templates
		assets_file = $BUILD/static-out/manifest.json
		mail_dir = $STATE/mail
		outgoing_allow = 127.0.0.0/8, ::1
		dev = $dev
		strict_templates = $strict
	CONF
	# Tests and measurements come from one address and would only meet the limit.
	[[ $STACK == dev ]] || printf 'rate_per_minute = 600000\nrate_burst = 20000\n'
}

# --- nginx

config_nginx() {
	local folder=$STATE/nginx part
	mkdir -p "$folder/extra" 2>/dev/null || die_unwritten "$folder/extra" "Is $folder a folder of yours?"
	for part in http app fastcgi headers tls; do
		nginx_fill <"$ROOT/nginx/stint-$part.conf.in" | write_file "$folder/stint-$part.conf"
	done
	"$BUILD/stint" routes --nginx | write_file "$folder/stint-pools.map"
	nginx_main | write_file "$folder/nginx.conf"
}

# The same names that `make install` fills in.
nginx_fill() {
	sed -e "s|@rundir@|$RUN|g" -e "s|@wwwdir@|$BUILD/static-out|g" -e "s|@errordir@|$ROOT/nginx/errors|g" \
		-e "s|@nginxdir@|$STATE/nginx|g" -e "s|@tlsdir@|$STATE/tls|g"
}

nginx_main() {
	local kind
	printf '# Made by ./dev at each start; the content is in nginx/ of the clone.\n'
	! is_root || printf 'user root root;\n' # the clone may lie below /root
	printf 'daemon off;\nworker_processes %s;\npid %s/nginx/pid;\nerror_log stderr warn;\nevents {\n\tworker_connections 1024;\n}\n' "$(nproc)" "$RUN"
	printf 'http {\n\tinclude /etc/nginx/mime.types;\n\tdefault_type application/octet-stream;\n\tsendfile on;\n\ttcp_nopush on;\n\taccess_log off;\n'
	for kind in client_body proxy fastcgi uwsgi scgi; do
		printf '\t%s_temp_path %s/nginx/%s;\n' "$kind" "$RUN" "$kind"
	done
	printf '\tinclude %s/nginx/stint-http.conf;\n' "$STATE"
	if [[ -n $OPT_HOST ]]; then nginx_servers_tls; else nginx_servers_plain; fi
	printf '}\n'
}

nginx_listen() { # PORT ADDRESSES OPTIONS
	if [[ $2 == all ]]; then
		printf '\t\tlisten %s%s;\n' "$1" "$3"
		! has_ipv6 || printf '\t\tlisten [::]:%s%s;\n' "$1" "$3"
	else
		printf '\t\tlisten 127.0.0.1:%s%s;\n' "$1" "$3"
		! has_ipv6 || printf '\t\tlisten [::1]:%s%s;\n' "$1" "$3"
	fi
}

has_ipv6() { grep -qs '^0\{31\}1' /proc/net/if_inet6; }

nginx_servers_plain() {
	printf '\tserver {\n'
	nginx_listen "$PORT" loopback ''
	printf '\t\tlisten unix:%s/nginx.sock;\n\t\tserver_name localhost;\n' "$RUN"
	printf '\t\tinclude %s/nginx/stint-app.conf;\n\t\tinclude %s/nginx/extra/*.conf;\n\t}\n' "$STATE" "$STATE"
}

# Only the name itself is served; plain HTTP, on the same port too, is sent to TLS.
nginx_servers_tls() {
	local plain
	printf '\tserver {\n'
	nginx_listen "$PORT" all ' ssl http2 default_server'
	printf '\t\tserver_name _;\n\t\tinclude %s/nginx/stint-tls.conf;\n\t\terror_page 497 =301 %s$request_uri;\n\t\treturn 421;\n\t}\n' "$STATE" "$URL"
	printf '\tserver {\n'
	nginx_listen "$PORT" all ' ssl http2'
	printf '\t\tlisten unix:%s/nginx.sock;\n' "$RUN"
	printf '\t\tserver_name %s;\n\t\tinclude %s/nginx/stint-tls.conf;\n\t\terror_page 497 =301 %s$request_uri;\n' "$OPT_HOST" "$STATE" "$URL"
	printf '\t\tlocation /dev/ {\n\t\t\treturn 404;\n\t\t}\n'
	printf '\t\tinclude %s/nginx/stint-app.conf;\n\t}\n' "$STATE"
	for plain in $(tls_plain_ports); do
		printf '\tserver {\n'
		nginx_listen "$plain" all ' default_server'
		printf '\t\treturn 301 %s$request_uri;\n\t}\n' "$URL"
	done
}

# The port people try without TLS, when it can be had.
tls_plain_ports() {
	local plain=''
	case $PORT in
	443) plain=80 ;;
	8443) plain=8080 ;;
	esac
	[[ -n $plain ]] || return 0
	if port_free 0.0.0.0 "$plain" >/dev/null; then
		echo "$plain"
	else
		warn "Port $plain is taken, so http://$OPT_HOST:$plain does not lead here; http://$OPT_HOST:$PORT does."
	fi
}

# --- a local authority, for --host

tls_make() {
	local name=$1 tls=$STATE/tls kind=DNS
	[[ ! $name =~ ^[0-9.]+$ && $name != *:* ]] || kind=IP
	mkdir -p "$tls" 2>/dev/null || die_unwritten "$tls" "Is it a folder of yours?"
	chmod 0700 "$tls"
	if [[ ! -s $tls/ca.crt || ! -s $tls/ca.key ]]; then
		rm -f "$tls/name"
		(umask 077 && openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=Stint at $(hostname)" \
			-addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign \
			-keyout "$tls/ca.key" -out "$tls/ca.crt.new" 2>"$STATE/log/openssl.log") || die "openssl could not make the authority." "See $STATE/log/openssl.log."
		mv "$tls/ca.crt.new" "$tls/ca.crt" || exit 1
	fi
	if [[ $(cat "$tls/name" 2>/dev/null) == "$name" && -s $tls/site.key ]] && openssl x509 -in "$tls/site.crt" -noout -checkend 2592000 >/dev/null 2>&1; then
		return 0
	fi
	(umask 077 && openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$tls/site.key" -out "$tls/site.csr" \
		2>"$STATE/log/openssl.log" && openssl x509 -req -in "$tls/site.csr" -CA "$tls/ca.crt" -CAkey "$tls/ca.key" -CAcreateserial -days 397 \
		-extfile <(printf 'subjectAltName=%s:%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' "$kind" "$name") \
		-out "$tls/site.crt" 2>>"$STATE/log/openssl.log") || die "openssl could not make the certificate for $name." "See $STATE/log/openssl.log."
	write_file "$tls/name" <<<"$name"
}
