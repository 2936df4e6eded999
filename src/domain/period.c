/*
 * Weeks and months as ranges of calendar days. Everything goes through the number of days since 1970, where weeks are
 * plain arithmetic; only months look at the calendar.
 */
#include "domain/period.h"

#define WEEK 7
#define YEAR_MAX 9999

struct date date_add_days(struct date d, int64_t days)
{
	int64_t sum;

	if (__builtin_add_overflow(date_to_days(d), days, &sum))
		sum = days < 0 ? INT64_MIN : INT64_MAX;
	return date_from_days(sum);
}

int date_days_in_month(int year, int month)
{
	const struct date first = { .year = year, .month = month, .day = 1 };
	const struct date next = { .year = month < 12 ? year : year + 1, .month = month % 12 + 1, .day = 1 };

	return (int)(date_to_days(next) - date_to_days(first));
}

struct date date_add_months(struct date d, int months)
{
	int64_t count = (int64_t)d.year * 12 + d.month - 1 + months;
	struct date out = { .year = 0 };
	int last;

	if (count < 1970 * 12)
		return (struct date){ .year = 1970, .month = 1, .day = 1 };
	if (count >= (YEAR_MAX + 1) * 12)
		return (struct date){ .year = YEAR_MAX, .month = 12, .day = 31 };
	out.year = (int)(count / 12);
	out.month = (int)(count % 12) + 1;
	last = date_days_in_month(out.year, out.month);
	out.day = d.day < last ? d.day : last;
	return out;
}

int date_compare(struct date a, struct date b)
{
	int64_t difference = date_to_days(a) - date_to_days(b);

	return (difference > 0) - (difference < 0);
}

/* A week belongs to the year its Thursday is in. */
struct iso_week date_iso_week(struct date d)
{
	int64_t thursday = date_to_days(d) + 4 - date_weekday(d);
	int year = date_from_days(thursday).year;
	const struct date new_year = { .year = year, .month = 1, .day = 1 };

	return (struct iso_week){
		.year = year,
		.week = (int)((thursday - date_to_days(new_year)) / WEEK + 1),
	};
}

static struct period week_from(int64_t first_day)
{
	return (struct period){
		.from = date_from_days(first_day),
		.to = date_from_days(first_day + WEEK),
	};
}

struct period period_week(struct date d, int week_start)
{
	return week_from(date_to_days(d) - (date_weekday(d) - week_start + WEEK) % WEEK);
}

struct period period_month(struct date d)
{
	struct date first = { .year = d.year, .month = d.month, .day = 1 };

	return (struct period){ .from = first, .to = date_add_months(first, 1) };
}

struct period period_shift_weeks(struct period week, int n)
{
	int64_t first = date_to_days(week.from);

	if (first == 0) /* held at the edge: its end still knows the week's first day */
		first = date_to_days(week.to) - WEEK;
	return week_from(first + (int64_t)n * WEEK);
}

struct period period_shift_months(struct period month, int n)
{
	return period_month(date_add_months(month.from, n));
}

bool period_has(struct period p, struct date d)
{
	return date_compare(p.from, d) <= 0 && date_compare(d, p.to) < 0;
}

int64_t period_days(struct period p)
{
	return date_to_days(p.to) - date_to_days(p.from);
}
