#ifndef STINT_REDIS_REDIS_H
#define STINT_REDIS_REDIS_H
/* The only user of hiredis. Everything here is a help, never the truth: when Redis is away calls
 * return false at once (at most 100 ms) and it is tried again a second later. */
#include <stdbool.h>
#include <stdint.h>
struct redis;
struct redis *redis_new(void *mem, const char *url);
bool redis_ping(struct redis *r);
/* Fixed window counter: adds one to key, expiring window_s after the first; *count gets the new
 * value, *left_s the seconds left. */
bool redis_count(
	struct redis *r, const char *key, int64_t window_s, int64_t *count, int64_t *left_s);
bool redis_peek(struct redis *r, const char *key, int64_t *count, int64_t *left_s);
bool redis_forget(struct redis *r, const char *key);
#endif
