#ifndef STINT_QUEUE_SCHEDULE_H
#define STINT_QUEUE_SCHEDULE_H
/*
 * Schedules: kinds that run by the clock. Every keeper looks; whoever inserts the slot's row first has fired it, so that any
 * number of them fire each slot once. What was missed (a minute late: none ran, or PostgreSQL was away) is fired by the kind's
 * backfill policy; a slot that is less late than that is fired whatever the policy.
 */
#include "db/db.h"
#include "queue/job.h"

struct schedule;
/* NULL, *why names the kind and what is wrong with its schedule. */
struct schedule *schedule_new(void *mem, const struct job_kind *const *kinds, const char **why);
/* Fires what is due at now_s (seconds since 1970). False when PostgreSQL is away; it is looked at again next time. */
bool schedule_tick(struct schedule *s, struct db *db, int64_t now_s);

#endif
