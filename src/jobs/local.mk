# src/jobs
noinst_LIBRARIES += src/jobs/libjobs.a
src_jobs_libjobs_a_SOURCES = \
	src/jobs/auth_mail.c \
	src/jobs/celery_call.c \
	src/jobs/housekeeping.c \
	src/jobs/jobs.c src/jobs/jobs.def src/jobs/jobs.h \
	src/jobs/live_close.c \
	src/jobs/mail_once.c src/jobs/mail_once.h \
	src/jobs/notification_digest.c \
	src/jobs/notification_mail.c \
	src/jobs/stint_ping.c \
	src/jobs/stint_summary.c \
	src/jobs/timers_watch.c src/jobs/webhook_deliver.c src/jobs/webhook_fan.c src/jobs/tools.h
