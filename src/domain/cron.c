/*
 * Reading a schedule is reading five sets of numbers. Finding the next slot is walking over the minutes that really pass and looking at the
 * wall clock at each: no arithmetic on local time, which is where schedulers go wrong twice a year. Days that cannot match are
 * walked an hour at a time.
 */
#include "domain/cron.h"

#include <stdlib.h>
#include <string.h>

#include "base/iso8601.h"
#include "base/str.h"
#include "domain/wall.h"

enum { MINUTE_S = 60, HOUR_S = 3600, GAP_MOST_MIN = 26 * 60, TWICE_MOST_S = 3 * HOUR_S, SEARCH_S = 8 * 366 * 86400 };

struct span {
	const char *name;
	int least, most;
	const char *const *words; /* for least, least + 1 …; NULL: numbers alone */
};

static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const weekdays[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

static const struct span spans[] = {
	{ "minute", 0, 59, NULL },
	{ "hour", 0, 23, NULL },
	{ "day of month", 1, 31, NULL },
	{ "month", 1, 12, months },
	{ "day of week", 0, 7, weekdays },
};

/* A number or a name at *p; moves behind it. */
static bool read_value(const char **p, const struct span *span, int *out)
{
	size_t n = strspn(*p, "0123456789");
	int value = 0;

	for (int i = 0; span->words && span->words[i]; i++) {
		char word[4] = { 0 };

		memcpy(word, *p, strnlen(*p, 3));
		if (str_eq_nocase(word, span->words[i])) {
			*p += 3;
			*out = span->least + i;
			return true;
		}
	}
	if (n < 1 || n > 2)
		return false;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (*p)[i] - '0';
	*p += n;
	*out = value;
	return value >= span->least && value <= span->most;
}

/* "*", "7", "1-5", each with "/2"; moves behind it. */
static bool read_range(const char **p, const struct span *span, uint64_t *set, bool *any)
{
	int from = span->least, to = span->most, step = 1;
	bool star = **p == '*';

	if (star) {
		++*p;
		if (span->words == weekdays)
			to = 6;
	} else {
		if (!read_value(p, span, &from))
			return false;
		to = from;
		if (**p == '-') {
			++*p;
			if (!read_value(p, span, &to) || to < from)
				return false;
		} else if (**p == '/') {
			to = span->most;
		}
	}
	if (**p == '/') {
		const struct span steps = { "step", 1, 99, NULL };

		++*p;
		if (!read_value(p, &steps, &step))
			return false;
	}
	for (int i = from; i <= to; i += step)
		*set |= UINT64_C(1) << i;
	*any = *any || star;
	return true;
}

static bool read_field(const char **p, const struct span *span, uint64_t *set, bool *any)
{
	*set = 0;
	*any = false;
	for (;;) {
		if (!read_range(p, span, set, any))
			return false;
		if (**p != ',')
			return true;
		++*p;
	}
}

static const char *macro(const char *text)
{
	static const char *const macros[][2] = { { "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" },
		{ "@weekly", "0 0 * * 0" }, { "@daily", "0 0 * * *" }, { "@midnight", "0 0 * * *" }, { "@hourly", "0 * * * *" } };

	for (size_t i = 0; i < sizeof(macros) / sizeof(*macros); i++)
		if (str_eq(text, macros[i][0]))
			return macros[i][1];
	return text;
}

bool cron_parse(const char *text, struct cron *out, const char **why)
{
	const char *p = macro(text);
	uint64_t sets[5];
	bool any[5];

	for (int i = 0; i < 5; i++) {
		p += strspn(p, " \t");
		if (!read_field(&p, &spans[i], &sets[i], &any[i]) || (*p && *p != ' ' && *p != '\t')) {
			if (why)
				*why = spans[i].name;
			return false;
		}
	}
	p += strspn(p, " \t");
	if (*p) {
		if (why)
			*why = "more than five fields";
		return false;
	}
	*out = (struct cron){ .minutes = sets[0], .hours = (uint32_t)sets[1], .days = (uint32_t)sets[2], .months = (uint32_t)sets[3],
		.weekdays = (uint32_t)((sets[4] | sets[4] >> 7) & 0x7f), .any_hour = any[1], .any_day = any[2], .any_weekday = any[4] };
	return true;
}

static struct date date_of(const struct wall *w)
{
	return (struct date){ .year = w->year, .month = w->month, .day = w->day };
}

static bool day_matches(const struct cron *c, const struct wall *w)
{
	bool day = c->days >> w->day & 1;
	bool weekday = c->weekdays >> date_weekday(date_of(w)) % 7 & 1;

	if (!(c->months >> w->month & 1))
		return false;
	return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

static bool matches(const struct cron *c, const struct wall *w)
{
	return c->minutes >> w->minute & 1 && c->hours >> w->hour & 1 && day_matches(c, w);
}

static struct wall wall_of(const char *zone, int64_t s)
{
	return wall_at(zone, s * 1000000);
}

/* Minutes of the wall clock since its 1970: differences are what counts. */
static int64_t wall_minutes(const struct wall *w)
{
	return (date_to_days(date_of(w)) * 24 + w->hour) * 60 + w->minute;
}

static struct wall wall_from_minutes(int64_t minutes)
{
	struct date d = date_from_days(minutes / (24 * 60));

	return (struct wall){ .year = d.year, .month = d.month, .day = d.day, .hour = (int)(minutes / 60 % 24),
		.minute = (int)(minutes % 60) };
}

/* Whether a time the schedule names lies between the minute before and this one, where the clock was put forward. */
static bool names_gap(const struct cron *c, const struct wall *before, const struct wall *now)
{
	int64_t from = wall_minutes(before) + 1, to = wall_minutes(now);

	if (c->any_hour || to - from > GAP_MOST_MIN)
		return false;
	for (int64_t minute = from; minute < to; minute++) {
		struct wall w = wall_from_minutes(minute);

		if (matches(c, &w))
			return true;
	}
	return false;
}

/* Whether the wall showed the same a while ago: then that was the slot. */
static bool came_before(const char *zone, int64_t s, const struct wall *w)
{
	for (int64_t ago = 15 * MINUTE_S; ago <= TWICE_MOST_S; ago += 15 * MINUTE_S) {
		struct wall was = wall_of(zone, s - ago);

		if (wall_minutes(&was) == wall_minutes(w))
			return true;
	}
	return false;
}

int64_t cron_next(const struct cron *c, const char *zone, int64_t after_s)
{
	int64_t s = after_s - after_s % MINUTE_S;
	struct wall before = wall_of(zone, s);

	for (int64_t end = s + SEARCH_S; s < end;) {
		struct wall ahead = wall_of(zone, s + HOUR_S), now;

		/* An hour at a time while the day cannot match and the clock is not being changed. */
		if (!day_matches(c, &before) && !day_matches(c, &ahead) && wall_minutes(&ahead) - wall_minutes(&before) == 60) {
			before = ahead;
			s += HOUR_S;
			continue;
		}
		s += MINUTE_S;
		now = wall_of(zone, s);
		if (names_gap(c, &before, &now) || (matches(c, &now) && (c->any_hour || !came_before(zone, s, &now))))
			return s;
		before = now;
	}
	return -1;
}
