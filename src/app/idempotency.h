#ifndef STINT_APP_IDEMPOTENCY_H
#define STINT_APP_IDEMPOTENCY_H
/*
 * Idempotency-Key: the same key, route and body within 24 h gives the first 2xx answer again. The key is
 * written in the transaction of the work, so a failure leaves none behind and a concurrent twin waits for
 * the first. A repeat raises idempotency_replay before the work is done and brings the stored answer with it.
 */
#include "app/call.h"

bool idempotency_wanted(const struct call *c);
enum err idempotency_check(struct call *c); /* the header's form; before the database is asked */
struct db_stmt idempotency_begin(struct call *c);
struct db_stmt idempotency_store(void *call, void *mem, struct db_result **results);
enum err idempotency_replay(struct call *c, const char *stored);

#endif
