# src/domain
noinst_LIBRARIES += src/domain/libdomain.a
src_domain_libdomain_a_SOURCES = \
	src/domain/clocktime.c src/domain/clocktime.h \
	src/domain/cron.c src/domain/cron.h \
	src/domain/duration.c src/domain/duration.h \
	src/domain/period.c src/domain/period.h \
	src/domain/wall.c src/domain/wall.h \
	src/domain/zones.c src/domain/zones.h
STINT_LIBS += src/domain/libdomain.a
