#ifndef STINT_LIVE_REVOKED_H
#define STINT_LIVE_REVOKED_H
/*
 * Credentials that ended lately. A ticket taken just before somebody signed out must not open a socket just after it, and a
 * credential never comes back, so the newest REVOKED_MAX are remembered: all that the stream live:control holds.
 */
#include "live/ring.h"

#define REVOKED_MAX 16384

struct revoked;
struct revoked *revoked_new(void *mem);
void revoked_add(struct revoked *r, const struct id *id); /* one that is there already is not added again */
bool revoked_has(const struct revoked *r, const struct id *id);

#endif
