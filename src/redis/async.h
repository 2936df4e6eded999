#ifndef STINT_REDIS_ASYNC_H
#define STINT_REDIS_ASYNC_H
/*
 * One connection to Redis for programs with an event loop of their own: nothing here waits. The loop is told what to watch,
 * and says when a descriptor can be read or written; this layer knows no event library, and nobody else knows hiredis.
 *
 * A connection that is lost is not made again by itself: `down` says so, and the owner connects when it likes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redis_async;
struct redis_value; /* an answer, or a part of one; borrowed while the callback runs */

struct redis_hooks {
	void *arg;
	void (*watch)(void *arg, int fd, bool read, bool write); /* neither: watch no more */
	void (*up)(void *arg); /* must not close the connection */
	void (*down)(void *arg, const char *why); /* refused, lost; not after redis_async_close */
};

/* Called once for an ordinary command, with NULL when the connection went first; for SUBSCRIBE (one a connection) with
 * every message. */
typedef void redis_answer(void *arg, const struct redis_value *value);

enum redis_kind { REDIS_NIL,
	REDIS_TEXT,
	REDIS_INT,
	REDIS_LIST,
	REDIS_ERROR };

/* hooks is copied; password may be NULL. */
struct redis_async *redis_async_new(void *mem, const char *url, const char *password, const struct redis_hooks *hooks);
/* False, *why says why, when it fails at once; else up or down follows. */
bool redis_async_connect(struct redis_async *r, const char **why);
/* Pending answers get NULL. */
void redis_async_close(struct redis_async *r);
void redis_async_readable(struct redis_async *r);
void redis_async_writable(struct redis_async *r);
/* False when there is no connection; then fn is not called. */
bool redis_async_send(struct redis_async *r, redis_answer *fn, void *arg, int argc, const char *const *argv);

enum redis_kind redis_kind_of(const struct redis_value *v); /* NULL is REDIS_NIL */
const char *redis_text(const struct redis_value *v, size_t *len); /* of TEXT and ERROR, NUL-terminated; else NULL */
int64_t redis_int(const struct redis_value *v);                   /* of INT; else 0 */
size_t redis_items(const struct redis_value *v);                  /* of LIST; else 0 */
const struct redis_value *redis_item(const struct redis_value *v, size_t i); /* NULL beyond the end */

#endif
