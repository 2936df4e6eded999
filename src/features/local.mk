# src/features
noinst_LIBRARIES += src/features/libfeatures.a
src_features_libfeatures_a_SOURCES = \
	src/features/auth.c src/features/clients.c src/features/common.h src/features/dashboard.c \
	src/features/features.c src/features/features.def src/features/features.h \
	src/features/jobs.c src/features/live.c src/features/me.c src/features/members.c src/features/notifications.c src/features/organization.c \
	src/features/projects.c src/features/shapes.c src/features/system.c \
	src/features/system_jobs.c src/features/system_jobs.h src/features/tags.c \
	src/features/time_entries.c src/features/timer.c src/features/webhooks.c src/features/week.c
STINT_LIBS += src/features/libfeatures.a
