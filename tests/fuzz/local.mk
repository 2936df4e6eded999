# Fuzz targets: by libFuzzer with --enable-fuzz (CC=clang), otherwise each runs its kept corpus in `make check`.
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/fuzz
FUZZ_BASE_LIBS = src/base/libbase.a $(TALLOC_LIBS) $(JSON_LIBS)
if FUZZ
FUZZ_MAIN = tests/fuzz/fuzz.h
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
else
FUZZ_MAIN = tests/fuzz/fuzz.h tests/fuzz/run-corpus.c
FUZZ_LINK = $(AM_LDFLAGS)
endif

check_PROGRAMS += \
	tests/fuzz/celery \
	tests/fuzz/clocktime \
	tests/fuzz/conf \
	tests/fuzz/cron \
	tests/fuzz/duration \
	tests/fuzz/iso8601 \
	tests/fuzz/json \
	tests/fuzz/mustache \
	tests/fuzz/text
tests_fuzz_celery_SOURCES = tests/fuzz/celery.c $(FUZZ_MAIN)
tests_fuzz_celery_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_celery_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_celery_LDADD = src/queue/libqueue.a src/domain/libdomain.a src/db/libdb.a src/redis/libredis.a $(FUZZ_BASE_LIBS) $(PQ_LIBS) $(HIREDIS_LIBS)
tests_fuzz_clocktime_SOURCES = tests/fuzz/clocktime.c $(FUZZ_MAIN)
tests_fuzz_clocktime_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_clocktime_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_clocktime_LDADD = src/domain/libdomain.a $(FUZZ_BASE_LIBS)
tests_fuzz_conf_SOURCES = tests/fuzz/conf.c $(FUZZ_MAIN)
tests_fuzz_conf_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_conf_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_conf_LDADD = $(FUZZ_BASE_LIBS)
tests_fuzz_cron_SOURCES = tests/fuzz/cron.c $(FUZZ_MAIN)
tests_fuzz_cron_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_cron_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_cron_LDADD = src/domain/libdomain.a $(FUZZ_BASE_LIBS)
tests_fuzz_duration_SOURCES = tests/fuzz/duration.c $(FUZZ_MAIN)
tests_fuzz_duration_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_duration_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_duration_LDADD = src/domain/libdomain.a $(FUZZ_BASE_LIBS)
tests_fuzz_iso8601_SOURCES = tests/fuzz/iso8601.c $(FUZZ_MAIN)
tests_fuzz_iso8601_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_iso8601_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_iso8601_LDADD = $(FUZZ_BASE_LIBS)
tests_fuzz_json_SOURCES = tests/fuzz/json.c $(FUZZ_MAIN)
tests_fuzz_json_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_json_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_json_LDADD = $(FUZZ_BASE_LIBS)
tests_fuzz_mustache_SOURCES = tests/fuzz/mustache.c $(FUZZ_MAIN)
tests_fuzz_mustache_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_mustache_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_mustache_LDADD = src/view/libview.a src/domain/libdomain.a $(FUZZ_BASE_LIBS)
tests_fuzz_text_SOURCES = tests/fuzz/text.c $(FUZZ_MAIN)
tests_fuzz_text_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_text_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_text_LDADD = $(FUZZ_BASE_LIBS)

FUZZ_HTTP_LIBS = src/http/libhttp.a $(FCGI_LIBS) $(FUZZ_BASE_LIBS)
check_PROGRAMS += \
	tests/fuzz/cookies \
	tests/fuzz/fcgi_params \
	tests/fuzz/form \
	tests/fuzz/query
tests_fuzz_cookies_SOURCES = tests/fuzz/cookies.c $(FUZZ_MAIN)
tests_fuzz_cookies_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_cookies_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_cookies_LDADD = $(FUZZ_HTTP_LIBS)
tests_fuzz_fcgi_params_SOURCES = tests/fuzz/fcgi_params.c $(FUZZ_MAIN)
tests_fuzz_fcgi_params_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fcgi_params_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fcgi_params_LDADD = $(FUZZ_HTTP_LIBS)
tests_fuzz_form_SOURCES = tests/fuzz/form.c $(FUZZ_MAIN)
tests_fuzz_form_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_form_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_form_LDADD = $(FUZZ_HTTP_LIBS)
tests_fuzz_query_SOURCES = tests/fuzz/query.c $(FUZZ_MAIN)
tests_fuzz_query_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_query_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_query_LDADD = $(FUZZ_HTTP_LIBS)

# stint-live: the handshake and frames of its clients.
check_PROGRAMS += \
	tests/fuzz/live_frames \
	tests/fuzz/live_handshake
tests_fuzz_live_frames_SOURCES = tests/fuzz/live_frames.c $(FUZZ_MAIN)
tests_fuzz_live_frames_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_live_frames_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_live_frames_LDADD = $(LIVE_LIBS) $(LIVE_LDADD)
tests_fuzz_live_handshake_SOURCES = tests/fuzz/live_handshake.c $(FUZZ_MAIN)
tests_fuzz_live_handshake_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_live_handshake_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_live_handshake_LDADD = $(LIVE_LIBS) $(LIVE_LDADD)
