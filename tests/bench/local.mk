# tests/bench: what ./dev bench runs; it builds the baseline itself.
EXTRA_DIST += tests/bench/bare.c tests/bench/bare-jobs.c tests/bench/celery_noop.py tests/bench/jobs.js tests/bench/live.js tests/bench/load.lua tests/bench/run.js tests/bench/sidekiq_noop.rb

# stint-live against a bare epoll writer; see its head.
EXTRA_PROGRAMS = tests/bench/live
tests_bench_live_SOURCES = tests/bench/live.c
tests_bench_live_CPPFLAGS = $(AM_CPPFLAGS) $(HIREDIS_CFLAGS)
tests_bench_live_LDADD = $(LIVE_LIBS) $(LIVE_LDADD)
