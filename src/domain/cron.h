#ifndef STINT_DOMAIN_CRON_H
#define STINT_DOMAIN_CRON_H
/*
 * Schedules in cron's five fields, "minute hour day-of-month month day-of-week", in a time zone (POSIX crontab, with the
 * lists, ranges, steps and names that every cron knows, and @hourly @daily @weekly @monthly @yearly). When both day fields are
 * restricted either of them may match, as POSIX says.
 *
 * What a clock change does: a schedule with fixed hours runs once for each time it names. A time that does not exist runs at
 * the first minute after the gap; of a time that comes twice the first counts. A schedule for every hour or every few
 * hours (* or a step from *) goes by the minutes that pass: it has more of them in the longer night.
 */
#include <stdbool.h>
#include <stdint.h>

struct cron {
	uint64_t minutes;
	uint32_t hours, days, months, weekdays; /* bits 0-23, 1-31, 1-12, 0-6 (Sunday 0) */
	bool any_hour, any_day, any_weekday;
};

/* False when text is no schedule; *why (may be NULL) says in words what is wrong. */
bool cron_parse(const char *text, struct cron *out, const char **why);
/* The first slot after the moment, both in seconds since 1970; -1 when there is none within eight years. */
int64_t cron_next(const struct cron *c, const char *zone, int64_t after_s);

#endif
