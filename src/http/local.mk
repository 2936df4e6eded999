# src/http
noinst_LIBRARIES += src/http/libhttp.a
src_http_libhttp_a_SOURCES = \
	src/http/answer.c src/http/answer.h \
	src/http/conn.c src/http/conn.h \
	src/http/form.c \
	src/http/limits.c src/http/limits.h \
	src/http/master.c src/http/master.h \
	src/http/metrics.c src/http/metrics.h \
	src/http/parse.c src/http/parse.h \
	src/http/request.h \
	src/http/response.c \
	src/http/router.c src/http/router.h \
	src/http/server.c src/http/server.h \
	src/http/slots.c src/http/slots.h \
	src/http/sockets.c src/http/sockets.h \
	src/http/stream.c src/http/stream.h \
	src/http/worker.c src/http/worker.h
src_http_libhttp_a_CFLAGS = $(AM_CFLAGS) $(FCGI_CFLAGS)
STINT_LIBS += src/http/libhttp.a
