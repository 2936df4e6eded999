#ifndef STINT_HTTP_LIMITS_H
#define STINT_HTTP_LIMITS_H
/* Token buckets in memory the workers share (made before forking), keyed by a hash of the caller: no answer costs a trip to Redis. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limits;
struct limit_state {
	int64_t limit; /* the burst: what is allowed at once */
	int64_t remaining;
	int64_t reset_s; /* until the bucket is full again; when refused, until one more request is allowed */
	bool refused;
};
struct limits *limits_new(int64_t per_minute, int64_t burst); /* shared anonymous memory; per_minute 0: never refuses */
struct limit_state limits_take(struct limits *l, const char *key, size_t key_len);

#endif
