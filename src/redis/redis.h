#ifndef STINT_REDIS_REDIS_H
#define STINT_REDIS_REDIS_H
/* The only user of hiredis. Everything here is a help, never the truth: when Redis is away calls
 * return false at once (at most 100 ms) and it is tried again a second later. */
#include <stdbool.h>
#include <stdint.h>
struct redis;
/* url as redis_url in conf.def, password as redis_password: NULL or "" for none. Copies both. */
struct redis *redis_new(void *mem, const char *url, const char *password);
/* What is wrong with the two, in words for an operator that repeat nothing of them; NULL: nothing. A redis made from what is wrong is
 * always away. */
const char *redis_fault(void *mem, const char *url, const char *password);
void redis_set_timeout(struct redis *r, int64_t timeout_ms); /* instead of 100 ms: for programs nobody waits for */
bool redis_ping(struct redis *r);
/* Counts the connections that were made: a Redis that was away may have forgotten things. */
int64_t redis_generation(const struct redis *r);
/* Fixed window counter: adds one to key, expiring window_s after the first; *count gets the new
 * value, *left_s the seconds left. */
bool redis_count(
	struct redis *r, const char *key, int64_t window_s, int64_t *count, int64_t *left_s);
bool redis_peek(struct redis *r, const char *key, int64_t *count, int64_t *left_s);
bool redis_forget(struct redis *r, const char *key);

/* Texts, with a time to live of whole seconds (0: none). *value gets NULL when there is none; below mem. */
bool redis_set(struct redis *r, const char *key, const char *value, int64_t ttl_s);
bool redis_get(struct redis *r, void *mem, const char *key, const char **value);

/* Lists as queues: pushed at the end, popped at the front. */
bool redis_push(struct redis *r, const char *key, const char *const *items, int n);
/* Up to most items of the first key that has any, waiting up to wait_ms for one. *n gets 0 when none came. *from is one of
 * keys. Items are below mem. Redis 7 or newer. */
bool redis_pop(struct redis *r, void *mem, const char *const *keys, int nkeys, int most, int64_t wait_ms, const char **from,
	const char ***items, int *n);
/* How long each list is. */
bool redis_lengths(struct redis *r, const char *const *keys, int n, int64_t *lengths);

/* Lists between two hands, taken from their end. Moves up to most items, of the first list that has any before those of the next, to
 * the front of `to`. */
bool redis_move(struct redis *r, const char *const *from, int nfrom, const char *to, int most);
struct redis_item {
	char *data; /* bytes, and a NUL behind them */
	size_t len;
};
/* The last items of a list, the very last first; they stay there. Below mem. */
bool redis_last(struct redis *r, void *mem, const char *key, int most, struct redis_item **items, int *n);
/* Takes one such item out of a list; *dropped: whether it was there. */
bool redis_drop(struct redis *r, const char *key, const struct redis_item *item, int64_t *dropped);
bool redis_push_first(struct redis *r, const char *key, const char *item);
/* A value that stays for ttl_s, and is told to who listens to the channel of that name: both or neither. */
bool redis_answer(struct redis *r, const char *key, const char *value, int64_t ttl_s);

/* Streams. id: "*" for the next one; keeps about the last `keep`. fields: name, value, … (2 × pairs texts). */
bool redis_stream_add(struct redis *r, const char *key, const char *id, int64_t keep, const char *const *fields, int pairs);
/* Streams whose entries are numbered without gaps, <number>-0, from 1. Adds one if it is the very next, or with `jump` if it is
 * above the last. *last: the number of the last entry then; below number when there is a gap between, and nothing was added. */
bool redis_stream_follow(struct redis *r, const char *key, int64_t number, bool jump, int64_t keep, const char *const *fields,
	int pairs, int64_t *last);
/* The first number of the last entry's id; -1 when there is none. */
bool redis_stream_last(struct redis *r, const char *key, int64_t *last);
#endif
