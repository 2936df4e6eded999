# src/base
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES = \
	src/base/buf.c src/base/buf.h \
	src/base/clock.c src/base/clock.h \
	src/base/conf.c src/base/conf.h src/base/conf.def \
	src/base/conf_file.c src/base/conf_secret.c src/base/conf_private.h \
	src/base/err.c src/base/err.h src/base/errors.def \
	src/base/failpoint.c src/base/failpoint.h \
	src/base/iso8601.c src/base/iso8601.h \
	src/base/json.c src/base/json.h \
	src/base/json_scan.c src/base/json_scan.h \
	src/base/log.c src/base/log.h \
	src/base/mem.c src/base/mem.h \
	src/base/proc.c src/base/proc.h \
	src/base/str.c src/base/str.h \
	src/base/uuid.c src/base/uuid.h
STINT_LIBS += src/base/libbase.a
