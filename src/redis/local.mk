# src/redis
noinst_LIBRARIES += src/redis/libredis.a
src_redis_libredis_a_SOURCES =
STINT_LIBS += src/redis/libredis.a
