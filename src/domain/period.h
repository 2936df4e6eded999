#ifndef STINT_DOMAIN_PERIOD_H
#define STINT_DOMAIN_PERIOD_H
/*
 * Periods of calendar days: half-open, [from, to). They know nothing of zones or of how long a day is: that is SQL's.
 * Years 1970 … 9999; what would leave that is held at its edge.
 */
#include <stdbool.h>
#include "base/iso8601.h"

struct period {
	struct date from; /* first day */
	struct date to;   /* the day after the last */
};

struct iso_week {
	int year; /* may differ from the date's around New Year */
	int week; /* 1 … 53 */
};

struct date date_add_days(struct date d, int64_t days);
struct date date_add_months(struct date d, int months); /* the day is held at the month's end: 31 Jan + 1 = 28 Feb */
int date_compare(struct date a, struct date b);         /* < 0, 0, > 0 */
int date_days_in_month(int year, int month);
struct iso_week date_iso_week(struct date d);

/* The seven days around d; week_start is 1 Monday … 7 Sunday. */
struct period period_week(struct date d, int week_start);
struct period period_month(struct date d);
/* The week n weeks later (earlier when negative) than this one. */
struct period period_shift_weeks(struct period week, int n);
struct period period_shift_months(struct period month, int n);
bool period_has(struct period p, struct date d);
int64_t period_days(struct period p);

#endif
