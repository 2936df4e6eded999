# src/live
noinst_LIBRARIES += src/live/liblive.a
src_live_liblive_a_SOURCES = \
	src/live/client.c src/live/client.h src/live/client_private.h src/live/feed.c src/live/feed.h \
	src/live/feed_private.h src/live/frame.c src/live/frame.h \
	src/live/handshake.c src/live/handshake.h src/live/live.c src/live/live.h src/live/opening.c src/live/revoked.c src/live/revoked.h \
	src/live/ring.c src/live/ring.h src/live/room.c src/live/room.h src/live/streams.c src/live/ticket.c src/live/ticket.h
src_live_liblive_a_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(CRYPTO_CFLAGS)
LIVE_LIBS = src/live/liblive.a src/http/libhttp.a src/redis/libredis.a src/crypto/libcrypto.a src/base/libbase.a
LIVE_LDADD = $(EVENT_LIBS) $(WSLAY_LIBS) $(CRYPTO_LIBS) $(HIREDIS_LIBS) $(SODIUM_LIBS) $(JSON_LIBS) $(TALLOC_LIBS)
