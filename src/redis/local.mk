# src/redis
noinst_LIBRARIES += src/redis/libredis.a
src_redis_libredis_a_SOURCES = src/redis/async.c src/redis/async.h src/redis/address.c src/redis/address.h src/redis/redis.c src/redis/redis.h src/redis/lists.c src/redis/moves.c src/redis/redis_private.h
src_redis_libredis_a_CPPFLAGS = $(AM_CPPFLAGS) $(HIREDIS_CFLAGS)
STINT_LIBS += src/redis/libredis.a
