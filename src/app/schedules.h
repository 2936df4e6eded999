#ifndef STINT_APP_SCHEDULES_H
#define STINT_APP_SCHEDULES_H
/* When schedules run next: SQL knows their lines and their last slots (jobs.schedules()), reckoning with cron is C's. */
#include <json-c/json.h>
#include <stdint.h>

/* Adds "next_at" (RFC 3339, UTC) and "next_local" ("2026-11-27 04:17", on the clocks of the schedule's zone) to each object of
 * list, from its "cron" and "zone"; null when there is none, or the line is not understood. */
void schedules_put_next(struct json_object *list, int64_t now_s);

#endif
