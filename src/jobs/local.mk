# src/jobs
noinst_LIBRARIES += src/jobs/libjobs.a
src_jobs_libjobs_a_SOURCES = \
	src/jobs/housekeeping.c \
	src/jobs/jobs.c src/jobs/jobs.def src/jobs/jobs.h \
	src/jobs/stint_ping.c
