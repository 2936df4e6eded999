/*
 * Times, dates and durations as the person at the screen reads them. What is shown was computed in
 * SQL; here it is only written down.
 *
 * Durations: seconds beyond the minute are cut, never rounded up (as domain/duration.h says), for
 * one entry and for a total alike. So a column of h:mm may add up to less than its total, which was
 * cut once and not once a row; the total is the one that is right. With decimals both are to the
 * nearest hundredth.
 *
 * Orders of words are patterns, so that a translation can turn them round.
 */
#include "view/formatters.h"

#include <stdlib.h>
#include <string.h>

#include "base/iso8601.h"
#include "base/mem.h"
#include "domain/duration.h"
#include "view/i18n.h"
#include "domain/wall.h"

#define US 1000000
#define DAY_S 86400

static const char *const weekdays[] = { N_("Monday"), N_("Tuesday"), N_("Wednesday"),
	N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday") };
static const char *const weekdays_short[] = { N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"),
	N_("Sat"), N_("Sun") };
static const char *const months[] = { N_("January"), N_("February"), N_("March"), N_("April"),
	N_("May"), N_("June"), N_("July"), N_("August"), N_("September"), N_("October"),
	N_("November"), N_("December") };
static const char *const months_short[] = { N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"),
	N_("Jun"), N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec") };

struct filling {
	const char *name, *value;
};

static void put_pattern(struct buf *out, const char *pattern, const struct filling *fillings)
{
	while (*pattern) {
		const struct filling *f = fillings;
		size_t len = strcspn(pattern + 1, "}");

		if (*pattern != '{') {
			buf_putc(out, *pattern++);
			continue;
		}
		while (f->name &&
			(strlen(f->name) != len || memcmp(f->name, pattern + 1, len) != 0))
			f++;
		buf_puts(out, f->name ? f->value : "?");
		pattern += pattern[len + 1] ? len + 2 : len + 1;
	}
}

static void put_day(struct format *f, struct buf *out, struct date d, const char *pattern)
{
	int weekday = date_weekday(d) - 1;
	const struct filling fillings[] = {
		{ .name = "weekday", .value = _(weekdays_short[weekday]) },
		{ .name = "day", .value = mem_printf(f->mem, "%d", d.day) },
		{ .name = "month", .value = _(months_short[d.month - 1]) },
		{ .name = "year", .value = mem_printf(f->mem, "%d", d.year) },
		{ .name = "weekday_long", .value = _(weekdays[weekday]) },
		{ .name = "month_long", .value = _(months[d.month - 1]) },
		{ .name = NULL },
	};

	put_pattern(out, pattern, fillings);
}

static struct date date_of(struct wall w)
{
	return (struct date){ .year = w.year, .month = w.month, .day = w.day };
}

static struct date today(const struct format *f)
{
	return date_of(wall_at(f->env->zone, f->env->now_us));
}

static bool read_instant(struct format *f, int64_t *us)
{
	size_t len;

	return iso8601_parse(value_text(f->mem, &f->in, &len), us);
}

/* A date, or the day an instant falls on where the person is. */
static bool read_date(struct format *f, struct date *out)
{
	int64_t us;
	size_t len;

	if (date_parse(value_text(f->mem, &f->in, &len), out))
		return true;
	if (!read_instant(f, &us))
		return false;
	*out = date_of(wall_at(f->env->zone, us));
	return true;
}

static void put_date_style(struct format *f, struct buf *out, struct date d)
{
	bool this_year = d.year == today(f).year;

	put_day(f, out, d,
		this_year ? _("{weekday} {day} {month}") : _("{weekday} {day} {month} {year}"));
}

void put_date(struct format *f, struct buf *out, int year, int month, int day)
{
	put_date_style(f, out, (struct date){ .year = year, .month = month, .day = day });
}

const char *weekday_short(int year, int month, int day)
{
	return _(weekdays_short[date_weekday(
					(struct date){ .year = year, .month = month, .day = day }) -
		1]);
}

void put_clock_time(struct format *f, struct buf *out, int second_of_day)
{
	int hour = second_of_day / 3600, minute = second_of_day / 60 % 60;
	const struct filling fillings[] = {
		{ .name = "hh", .value = mem_printf(f->mem, "%02d", hour) },
		{ .name = "h", .value = mem_printf(f->mem, "%d", hour % 12 ? hour % 12 : 12) },
		{ .name = "mm", .value = mem_printf(f->mem, "%02d", minute) },
		{ .name = NULL },
	};

	if (!f->env->clock_12h)
		put_pattern(out, _("{hh}:{mm}"), fillings);
	else
		put_pattern(out, hour < 12 ? _("{h}:{mm} am") : _("{h}:{mm} pm"), fillings);
}

void put_duration(struct format *f, struct buf *out, int64_t seconds)
{
	char text[DURATION_TEXT];
	char *point;

	if (!f->env->decimal_durations) {
		duration_format_short(seconds, text);
		buf_puts(out, text);
		return;
	}
	duration_format_decimal(seconds, text);
	point = strchr(text, '.');
	buf_add(out, text, point ? (size_t)(point - text) : strlen(text));
	if (point) {
		/* Translators: the decimal separator. */
		buf_puts(out, _("."));
		buf_puts(out, point + 1);
	}
}

bool format_duration(struct format *f)
{
	int64_t seconds;

	if (value_is_empty(&f->in))
		return true;
	if (!value_int(&f->in, &seconds))
		return format_refuse(f, "seconds");
	put_duration(f, f->out, seconds);
	return true;
}

bool format_clock(struct format *f)
{
	char text[DURATION_TEXT];
	int64_t seconds;

	if (value_is_empty(&f->in))
		return true;
	if (!value_int(&f->in, &seconds))
		return format_refuse(f, "seconds");
	duration_format_clock(seconds, text);
	buf_puts(f->out, text);
	return true;
}

/* To the hundredth, without needless zeros. */
bool format_hours(struct format *f)
{
	int64_t seconds, hundredths;
	const char *n;

	if (value_is_empty(&f->in))
		return true;
	if (!value_int(&f->in, &seconds) || seconds > INT64_MAX / 200 || seconds < -INT64_MAX / 200)
		return format_refuse(f, "seconds");
	hundredths = (llabs(seconds) * 100 + 1800) / 3600;
	if (hundredths % 100 == 0)
		n = mem_printf(
			f->mem, "%s%lld", seconds < 0 ? "-" : "", (long long)hundredths / 100);
	else
		n = mem_printf(f->mem, "%s%lld%s%0*lld", seconds < 0 ? "-" : "",
			(long long)hundredths / 100, _("."), hundredths % 10 ? 2 : 1,
			(long long)(hundredths % 10 ? hundredths % 100 : hundredths % 100 / 10));
	return format_fill(f, _("{n} h"), n);
}

/* "09:40" and "09:40:00" as SQL gives the time of a day: -1 when it is something else. */
static int second_of_day(const char *s)
{
	size_t len = strlen(s);

	if ((len != 5 && len != 8) || s[2] != ':' || (len == 8 && s[5] != ':'))
		return -1;
	for (size_t i = 0; i < len; i++)
		if (i % 3 != 2 && (s[i] < '0' || s[i] > '9'))
			return -1;
	return ((s[0] - '0') * 10 + s[1] - '0') * 3600 + ((s[3] - '0') * 10 + s[4] - '0') * 60;
}

bool format_time(struct format *f)
{
	size_t len;
	int second = second_of_day(value_text(f->mem, &f->in, &len));
	int64_t us;
	struct wall w;

	if (value_is_empty(&f->in))
		return true;
	if (second < 0) {
		if (!read_instant(f, &us))
			return format_refuse(f, "an instant");
		w = wall_at(f->env->zone, us);
		second = w.hour * 3600 + w.minute * 60;
	}
	put_clock_time(f, f->out, second % DAY_S);
	return true;
}

bool format_date(struct format *f)
{
	struct date d;

	if (value_is_empty(&f->in))
		return true;
	if (!read_date(f, &d))
		return format_refuse(f, "a date");
	put_date_style(f, f->out, d);
	return true;
}

static void put_near_day(struct format *f, struct buf *out, struct date d)
{
	int64_t back = date_to_days(today(f)) - date_to_days(d);

	if (back == 0)
		buf_puts(out, _("Today"));
	else if (back == 1)
		buf_puts(out, _("Yesterday"));
	else
		put_date_style(f, out, d);
}

bool format_day(struct format *f)
{
	struct date d;

	if (value_is_empty(&f->in))
		return true;
	if (!read_date(f, &d))
		return format_refuse(f, "a date");
	put_near_day(f, f->out, d);
	return true;
}

bool format_datetime(struct format *f)
{
	struct buf day, time;
	struct wall w;
	int64_t us;

	if (value_is_empty(&f->in))
		return true;
	if (!read_instant(f, &us))
		return format_refuse(f, "an instant");
	w = wall_at(f->env->zone, us);
	buf_init(&day, f->mem);
	buf_init(&time, f->mem);
	put_near_day(f, &day, date_of(w));
	put_clock_time(f, &time, w.hour * 3600 + w.minute * 60);
	put_pattern(f->out, _("{day}, {time}"),
		(const struct filling[]){ { .name = "day", .value = day.data },
			{ .name = "time", .value = time.data }, { .name = NULL } });
	return true;
}

/* The day through one pattern. */
static bool format_by(struct format *f, const char *pattern)
{
	struct date d;

	if (value_is_empty(&f->in))
		return true;
	if (!read_date(f, &d))
		return format_refuse(f, "a date");
	put_day(f, f->out, d, pattern);
	return true;
}

bool format_long_date(struct format *f)
{
	return format_by(f, _("{weekday_long} {day} {month_long} {year}"));
}

bool format_weekday(struct format *f)
{
	return format_by(f, strcmp(format_arg(f, 0), "long") ? "{weekday}" : "{weekday_long}");
}

bool format_month(struct format *f)
{
	return format_by(f, _("{month_long} {year}"));
}

bool format_iso_date(struct format *f)
{
	char text[ISO8601_MAX];
	struct date d;

	if (value_is_empty(&f->in))
		return true;
	if (!read_date(f, &d))
		return format_refuse(f, "a date");
	date_format(d, text);
	buf_puts(f->out, text);
	return true;
}

bool format_instant_iso(struct format *f)
{
	char text[ISO8601_MAX];
	int64_t us;

	if (value_is_empty(&f->in))
		return true;
	if (!read_instant(f, &us))
		return format_refuse(f, "an instant");
	iso8601_format(us, text);
	buf_puts(f->out, text);
	return true;
}

static bool put_count(struct format *f, const char *pattern, int64_t n)
{
	return format_fill(f, pattern, mem_printf(f->mem, "%lld", (long long)n));
}

bool format_ago(struct format *f)
{
	int64_t us, minutes;

	if (value_is_empty(&f->in))
		return true;
	if (!read_instant(f, &us))
		return format_refuse(f, "an instant");
	minutes = (f->env->now_us - us) / US / 60;
	if (minutes < 1) {
		buf_puts(f->out, _("just now"));
		return true;
	}
	if (minutes < 60)
		return put_count(f,
			ngettext("{n} minute ago", "{n} minutes ago", (unsigned long)minutes),
			minutes);
	if (minutes < 24 * 60)
		return put_count(f,
			ngettext("{n} hour ago", "{n} hours ago", (unsigned long)minutes / 60),
			minutes / 60);
	if (minutes < 7 * 24 * 60)
		return put_count(f,
			ngettext("{n} day ago", "{n} days ago", (unsigned long)minutes / 1440),
			minutes / 1440);
	return format_date(f);
}
