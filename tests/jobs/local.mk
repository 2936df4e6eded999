# The worker that tests/jobs/*.test.js start: stint-worker with kinds of its own, and their queries besides the program's.
noinst_PROGRAMS += tests/jobs/stint-test-worker tests/jobs/schedule-stepper
tests_jobs_stint_test_worker_SOURCES = src/main/stint-worker.c \
	tests/jobs/kinds.c tests/jobs/kinds.def tests/jobs/kinds.h tests/jobs/plain.c tests/jobs/poison.c
nodist_tests_jobs_stint_test_worker_SOURCES = tests/jobs/queries.gen.c
tests_jobs_stint_test_worker_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/jobs
tests_jobs_stint_test_worker_LDADD = $(STINT_LIBS) $(STINT_LDADD)

tests_jobs_schedule_stepper_SOURCES = tests/jobs/schedule-stepper.c
tests_jobs_schedule_stepper_LDADD = $(STINT_LIBS) $(STINT_LDADD)

tests/jobs/queries.gen.c: $(db_embed) $(db_queries) $(db_sql)/queries $(top_srcdir)/tests/jobs/queries.sql
	$(AM_V_GEN)$(MKDIR_P) tests/jobs && $(PERL) $(db_embed) queries $@ $(db_queries) $(top_srcdir)/tests/jobs/queries.sql

BUILT_SOURCES += tests/jobs/queries.gen.c
CLEANFILES += tests/jobs/queries.gen.c
EXTRA_DIST += tests/jobs/queries.sql
