#ifndef STINT_UNIT_REDIS_H
#define STINT_UNIT_REDIS_H

#include "unit.h"
#include "redis/redis.h"

/* A client that gives a busy machine time; whoever tests impatience sets the time-out anew. */
static inline struct redis *redis_patient(void *mem, const char *url, const char *password)
{
	struct redis *r = redis_new(mem, url, password);

	redis_set_timeout(r, 10000);
	return r;
}

#endif
