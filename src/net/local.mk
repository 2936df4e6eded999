# src/net
noinst_LIBRARIES += src/net/libnet.a
src_net_libnet_a_SOURCES = \
	src/net/address.c src/net/address.h src/net/fetch.c src/net/fetch.h src/net/net.c src/net/net.h \
	src/net/private.h src/net/smtp.c src/net/smtp.h src/net/url.c src/net/url.h
src_net_libnet_a_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
STINT_LIBS += src/net/libnet.a
