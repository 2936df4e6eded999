# src/http
noinst_LIBRARIES += src/http/libhttp.a
src_http_libhttp_a_SOURCES =
STINT_LIBS += src/http/libhttp.a
