# Unit tests, by Check. A test is one file and links the layers below what it tests.
if HAVE_CHECK
UNIT_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit $(CHECK_CFLAGS)
UNIT_BASE_LIBS = src/base/libbase.a $(TALLOC_LIBS) $(JSON_LIBS) $(CHECK_LIBS)

check_PROGRAMS += \
	tests/unit/test_base_conf \
	tests/unit/test_base_json \
	tests/unit/test_base_log \
	tests/unit/test_base_mem \
	tests/unit/test_base_str \
	tests/unit/test_base_time \
	tests/unit/test_domain_clocktime \
	tests/unit/test_domain_cron \
	tests/unit/test_domain_duration \
	tests/unit/test_domain_period
tests_unit_test_base_conf_SOURCES = tests/unit/test_base_conf.c tests/unit/unit.h
tests_unit_test_base_conf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_base_conf_LDADD = $(UNIT_BASE_LIBS)
tests_unit_test_base_json_SOURCES = tests/unit/test_base_json.c
tests_unit_test_base_json_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_base_json_LDADD = $(UNIT_BASE_LIBS)
tests_unit_test_base_log_SOURCES = tests/unit/test_base_log.c
tests_unit_test_base_log_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_base_log_LDADD = $(UNIT_BASE_LIBS)
tests_unit_test_base_mem_SOURCES = tests/unit/test_base_mem.c
tests_unit_test_base_mem_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_base_mem_LDADD = $(UNIT_BASE_LIBS)
tests_unit_test_base_str_SOURCES = tests/unit/test_base_str.c
tests_unit_test_base_str_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_base_str_LDADD = $(UNIT_BASE_LIBS)
tests_unit_test_base_time_SOURCES = tests/unit/test_base_time.c
tests_unit_test_base_time_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_base_time_LDADD = $(UNIT_BASE_LIBS)
tests_unit_test_domain_clocktime_SOURCES = tests/unit/test_domain_clocktime.c
tests_unit_test_domain_clocktime_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_domain_clocktime_LDADD = src/domain/libdomain.a $(UNIT_BASE_LIBS)
tests_unit_test_domain_cron_SOURCES = tests/unit/test_domain_cron.c
tests_unit_test_domain_cron_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_domain_cron_LDADD = src/domain/libdomain.a $(UNIT_BASE_LIBS)
tests_unit_test_domain_duration_SOURCES = tests/unit/test_domain_duration.c
tests_unit_test_domain_duration_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_domain_duration_LDADD = src/domain/libdomain.a $(UNIT_BASE_LIBS)
tests_unit_test_domain_period_SOURCES = tests/unit/test_domain_period.c
tests_unit_test_domain_period_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_domain_period_LDADD = src/domain/libdomain.a $(UNIT_BASE_LIBS)

# queue: what needs no database.
check_PROGRAMS += tests/unit/test_queue_pools
tests_unit_test_queue_pools_SOURCES = tests/unit/test_queue_pools.c
tests_unit_test_queue_pools_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_queue_pools_LDADD = src/queue/libqueue.a $(UNIT_BASE_LIBS)

# view: the engine, its formatters and charts.
UNIT_VIEW_LIBS = src/view/libview.a src/domain/libdomain.a $(UNIT_BASE_LIBS)
check_PROGRAMS += \
	tests/unit/test_view_charts \
	tests/unit/test_view_formatters \
	tests/unit/test_view_i18n \
	tests/unit/test_view_render
tests_unit_test_view_charts_SOURCES = tests/unit/test_view_charts.c
tests_unit_test_view_charts_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_view_charts_LDADD = $(UNIT_VIEW_LIBS)
tests_unit_test_view_formatters_SOURCES = tests/unit/test_view_formatters.c
tests_unit_test_view_formatters_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_view_formatters_LDADD = $(UNIT_VIEW_LIBS)
tests_unit_test_view_i18n_SOURCES = tests/unit/test_view_i18n.c
tests_unit_test_view_i18n_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_view_i18n_LDADD = $(UNIT_VIEW_LIBS)
tests_unit_test_view_render_SOURCES = tests/unit/test_view_render.c
tests_unit_test_view_render_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_view_render_LDADD = $(UNIT_VIEW_LIBS)

UNIT_HTTP_LIBS = src/http/libhttp.a $(FCGI_LIBS) $(UNIT_BASE_LIBS)
UNIT_HTTP_SERVER = tests/unit/echo_server.c tests/unit/echo_server.h tests/unit/fcgi_client.c tests/unit/fcgi_client.h
check_PROGRAMS += \
	tests/unit/test_http_limits \
	tests/unit/test_http_master \
	tests/unit/test_http_request \
	tests/unit/test_http_router \
	tests/unit/test_http_server \
	tests/unit/test_http_stream
tests_unit_test_http_limits_SOURCES = tests/unit/test_http_limits.c
tests_unit_test_http_limits_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_http_limits_LDADD = $(UNIT_HTTP_LIBS)
tests_unit_test_http_master_SOURCES = tests/unit/test_http_master.c $(UNIT_HTTP_SERVER)
tests_unit_test_http_master_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_http_master_LDADD = $(UNIT_HTTP_LIBS)
tests_unit_test_http_request_SOURCES = tests/unit/test_http_request.c tests/unit/aborts.h
tests_unit_test_http_request_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_http_request_LDADD = $(UNIT_HTTP_LIBS)
tests_unit_test_http_router_SOURCES = tests/unit/test_http_router.c tests/unit/aborts.h
tests_unit_test_http_router_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_http_router_LDADD = $(UNIT_HTTP_LIBS)
tests_unit_test_http_server_SOURCES = tests/unit/test_http_server.c $(UNIT_HTTP_SERVER)
tests_unit_test_http_server_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_http_server_LDADD = $(UNIT_HTTP_LIBS)
tests_unit_test_http_stream_SOURCES = tests/unit/test_http_stream.c tests/unit/fcgi_client.c tests/unit/fcgi_client.h
tests_unit_test_http_stream_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_http_stream_LDADD = $(UNIT_HTTP_LIBS)
EXTRA_tests_unit_test_http_server_DEPENDENCIES = tests/unit/http-echo$(EXEEXT)
EXTRA_tests_unit_test_http_master_DEPENDENCIES = tests/unit/http-echo$(EXEEXT)

# crypto, db, redis. All but crypto and db_embed want the scratch servers of ./dev test and fail without them.
UNIT_DB_CPPFLAGS = $(UNIT_CPPFLAGS) $(PQ_CFLAGS)
UNIT_DB_LIBS = src/db/libdb.a $(UNIT_BASE_LIBS) $(PQ_LIBS)
check_PROGRAMS += \
	tests/unit/test_crypto \
	tests/unit/test_db_embed \
	tests/unit/test_db_listen \
	tests/unit/test_db_lost \
	tests/unit/test_db_migrate \
	tests/unit/test_db_prepare \
	tests/unit/test_db_run \
	tests/unit/test_queue_board \
	tests/unit/test_redis \
	tests/unit/test_redis_auth \
	tests/unit/test_redis_lists \
	tests/unit/test_webhook_secret
tests_unit_test_webhook_secret_SOURCES = tests/unit/test_webhook_secret.c
tests_unit_test_webhook_secret_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_webhook_secret_LDADD = src/crypto/libcrypto.a $(UNIT_BASE_LIBS) $(SODIUM_LIBS)
tests_unit_test_crypto_SOURCES = tests/unit/test_crypto.c
tests_unit_test_crypto_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_crypto_LDADD = src/crypto/libcrypto.a $(UNIT_BASE_LIBS) $(SODIUM_LIBS)
tests_unit_test_db_embed_SOURCES = tests/unit/test_db_embed.c
tests_unit_test_db_embed_CPPFLAGS = $(UNIT_CPPFLAGS) -DSTINT_SRCDIR='"$(abs_top_srcdir)"'
tests_unit_test_db_embed_LDADD = $(UNIT_DB_LIBS)
tests_unit_test_db_listen_SOURCES = tests/unit/test_db_listen.c tests/unit/unit_pg.h
tests_unit_test_db_listen_CPPFLAGS = $(UNIT_DB_CPPFLAGS)
tests_unit_test_db_listen_LDADD = $(UNIT_DB_LIBS)
tests_unit_test_db_lost_SOURCES = tests/unit/test_db_lost.c tests/unit/unit_pg.h tests/unit/unit_proxy.h
tests_unit_test_db_lost_CPPFLAGS = $(UNIT_DB_CPPFLAGS)
tests_unit_test_db_lost_LDADD = $(UNIT_DB_LIBS)
tests_unit_test_db_migrate_SOURCES = tests/unit/test_db_migrate.c
tests_unit_test_db_migrate_CPPFLAGS = $(UNIT_DB_CPPFLAGS)
tests_unit_test_db_migrate_LDADD = $(UNIT_DB_LIBS)
tests_unit_test_db_prepare_SOURCES = tests/unit/test_db_prepare.c
tests_unit_test_db_prepare_CPPFLAGS = $(UNIT_DB_CPPFLAGS)
tests_unit_test_db_prepare_LDADD = $(UNIT_DB_LIBS)
tests_unit_test_db_run_SOURCES = tests/unit/test_db_run.c
tests_unit_test_db_run_CPPFLAGS = $(UNIT_DB_CPPFLAGS)
tests_unit_test_db_run_LDADD = $(UNIT_DB_LIBS)
tests_unit_test_queue_board_SOURCES = tests/unit/test_queue_board.c
tests_unit_test_queue_board_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_queue_board_LDADD = src/queue/libqueue.a $(UNIT_BASE_LIBS)
tests_unit_test_redis_lists_SOURCES = tests/unit/test_redis_lists.c tests/unit/unit_proxy.h tests/unit/unit_redis.h
tests_unit_test_redis_lists_CPPFLAGS = $(UNIT_CPPFLAGS) $(HIREDIS_CFLAGS)
tests_unit_test_redis_lists_LDADD = src/redis/libredis.a $(UNIT_BASE_LIBS) $(HIREDIS_LIBS)
tests_unit_test_redis_SOURCES = tests/unit/test_redis.c tests/unit/unit_proxy.h tests/unit/unit_redis.h
tests_unit_test_redis_CPPFLAGS = $(UNIT_CPPFLAGS) $(HIREDIS_CFLAGS)
tests_unit_test_redis_LDADD = src/redis/libredis.a $(UNIT_BASE_LIBS) $(HIREDIS_LIBS)
tests_unit_test_redis_auth_SOURCES = tests/unit/test_redis_auth.c tests/unit/unit_redis.h
tests_unit_test_redis_auth_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_redis_auth_LDADD = src/redis/libredis.a $(UNIT_BASE_LIBS) $(HIREDIS_LIBS)

# net: real sockets on every address of this host. The second file's getaddrinfo() stands before libc's.
UNIT_NET_LIBS = src/net/libnet.a $(UNIT_BASE_LIBS) $(CURL_LIBS) -ldl
UNIT_NET_SERVER = tests/unit/net_server.c tests/unit/net_server.h
check_PROGRAMS += \
	tests/unit/test_net_address \
	tests/unit/test_net_fetch \
	tests/unit/test_net_inside \
	tests/unit/test_net_url
tests_unit_test_net_address_SOURCES = tests/unit/test_net_address.c
tests_unit_test_net_address_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_net_address_LDADD = $(UNIT_NET_LIBS)
tests_unit_test_net_fetch_SOURCES = tests/unit/test_net_fetch.c $(UNIT_NET_SERVER)
tests_unit_test_net_fetch_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_net_fetch_LDADD = $(UNIT_NET_LIBS)
tests_unit_test_net_url_SOURCES = tests/unit/test_net_url.c
tests_unit_test_net_url_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_net_url_LDADD = $(UNIT_NET_LIBS)
tests_unit_test_net_inside_SOURCES = tests/unit/test_net_inside.c $(UNIT_NET_SERVER)
tests_unit_test_net_inside_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_net_inside_LDADD = $(UNIT_NET_LIBS)

check_PROGRAMS += tests/unit/test_live
tests_unit_test_live_SOURCES = tests/unit/test_live.c
tests_unit_test_live_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_live_LDADD = $(LIVE_LIBS) $(CHECK_LIBS) $(LIVE_LDADD)
endif

# What the tests of the server start and talk to.
noinst_PROGRAMS += tests/unit/http-echo
tests_unit_http_echo_SOURCES = tests/unit/http-echo.c
tests_unit_http_echo_LDADD = src/http/libhttp.a $(FCGI_LIBS) src/base/libbase.a $(TALLOC_LIBS) $(JSON_LIBS)

# Servers and parsers in Python, against one call of src/net and against one mail.
noinst_PROGRAMS += tests/unit/net-call
tests_unit_net_call_SOURCES = tests/unit/net-call.c
tests_unit_net_call_LDADD = src/net/libnet.a src/base/libbase.a $(CURL_LIBS) $(TALLOC_LIBS) $(JSON_LIBS)
noinst_PROGRAMS += tests/unit/mail-compose
tests_unit_mail_compose_SOURCES = tests/unit/mail-compose.c
tests_unit_mail_compose_LDADD = src/view/libview.a src/domain/libdomain.a src/base/libbase.a $(TALLOC_LIBS) $(JSON_LIBS)
check_SCRIPTS += tests/unit/mail_compose.py tests/unit/net_smtp.py tests/unit/net_tls.py
EXTRA_DIST += tests/unit/mail_compose.py tests/unit/net_smtp.py tests/unit/net_tls.py tests/unit/pycheck.py

# The Mustache specification: the program needs no Check, and runs any file in that format.
noinst_PROGRAMS += tests/unit/run-mustache-spec
tests_unit_run_mustache_spec_SOURCES = tests/unit/mustache-spec.c
tests_unit_run_mustache_spec_LDADD = src/view/libview.a src/domain/libdomain.a src/base/libbase.a $(TALLOC_LIBS) $(JSON_LIBS)
check_SCRIPTS += tests/unit/spec-cases tests/unit/strings
EXTRA_DIST += tests/unit/mustache-spec tests/unit/spec-cases tests/unit/strings \
	tests/unit/spec/comments.json \
	tests/unit/spec/delimiters.json \
	tests/unit/spec/interpolation.json \
	tests/unit/spec/inverted.json \
	tests/unit/spec/partials.json \
	tests/unit/spec/sections.json \
	tests/unit/spec/~inheritance.json
