#ifndef STINT_APP_THROTTLE_H
#define STINT_APP_THROTTLE_H
/*
 * Sign-in and mail throttles, counted in Redis, by account *and* network together and by network alone: a stranger elsewhere
 * cannot lock anybody out. When Redis is away a bucket in shared memory counts by network, and people get in all the same.
 */
#include "app/call.h"
/* ERR_RATE_LIMIT (with Retry-After set) when this account or network has tried too often. what: "signin", "mail". */
enum err throttle_check(struct call *c, const char *what, const char *account);
/* One more failed try, or one more mail. */
void throttle_count(struct call *c, const char *what, const char *account);
void throttle_forget(struct call *c, const char *what, const char *account);
#endif
