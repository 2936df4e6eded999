/*
 * Durations: text from people to seconds and back. One reading for every place a duration can be typed (page, timer
 * bar, import), so that the same keys mean the same time everywhere. Arithmetic on durations is SQL's.
 *
 * What is ambiguous is refused rather than guessed: a wrong duration is found weeks later on an invoice.
 */
#include "domain/duration.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define HOUR_S 3600
#define MINUTE_S 60
#define NANO 1000000000
#define WHOLE_DIGITS_MAX 9

struct number {
	int64_t whole;
	int64_t nano; /* of the fraction */
	int digits; /* before the separator */
	bool decimal;
};

static void skip_blank(const char **s)
{
	while (**s == ' ' || **s == '\t' || **s == '\n' || **s == '\r')
		(*s)++;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "1", "1.5", "1,5", ".5"; a separator wants digits behind it. */
static enum err read_number(const char **s, struct number *n)
{
	int64_t unit = NANO / 10;

	*n = (struct number){ 0 };
	for (; is_digit(**s); (*s)++) {
		if (++n->digits > WHOLE_DIGITS_MAX)
			return ERR_RANGE;
		n->whole = n->whole * 10 + (**s - '0');
	}
	if (**s != '.' && **s != ',')
		return n->digits ? OK : ERR_FORMAT;
	(*s)++;
	n->decimal = true;
	if (!is_digit(**s))
		return ERR_FORMAT;
	for (; is_digit(**s); (*s)++, unit /= 10)
		n->nano += (**s - '0') * unit;
	return OK;
}

static int64_t in_units(const struct number *n, int64_t unit_s)
{
	return n->whole * unit_s + (n->nano * unit_s + NANO / 2) / NANO;
}

/* ":MM", 00 … 59. */
static bool read_sixtieths(const char **s, int64_t *value)
{
	if (**s != ':' || !is_digit((*s)[1]) || !is_digit((*s)[2]) || is_digit((*s)[3]))
		return false;
	*value = ((*s)[1] - '0') * 10 + ((*s)[2] - '0');
	*s += 3;
	return *value < 60;
}

static enum err read_colons(const char *s, int64_t *seconds)
{
	struct number hours = { 0 };
	int64_t minutes = 0;
	int64_t rest = 0;
	enum err e = *s == ':' ? OK : read_number(&s, &hours);

	if (e)
		return e;
	if (hours.decimal || !read_sixtieths(&s, &minutes) || (*s == ':' && !read_sixtieths(&s, &rest)))
		return ERR_FORMAT;
	skip_blank(&s);
	*seconds = hours.whole * HOUR_S + minutes * MINUTE_S + rest;
	return *s ? ERR_FORMAT : OK;
}

/* Seconds of the unit s stands at; 0 when it is none. */
static int64_t read_unit(const char **s)
{
	static const struct {
		const char *name;
		int64_t unit_s;
	} units[] = {
		{ .name = "h", .unit_s = HOUR_S },
		{ .name = "hr", .unit_s = HOUR_S },
		{ .name = "hrs", .unit_s = HOUR_S },
		{ .name = "hour", .unit_s = HOUR_S },
		{ .name = "hours", .unit_s = HOUR_S },
		{ .name = "m", .unit_s = MINUTE_S },
		{ .name = "min", .unit_s = MINUTE_S },
		{ .name = "mins", .unit_s = MINUTE_S },
		{ .name = "minute", .unit_s = MINUTE_S },
		{ .name = "minutes", .unit_s = MINUTE_S },
		{ .name = "s", .unit_s = 1 },
		{ .name = "sec", .unit_s = 1 },
		{ .name = "secs", .unit_s = 1 },
		{ .name = "second", .unit_s = 1 },
		{ .name = "seconds", .unit_s = 1 },
	};
	char word[8] = "";
	size_t len = 0;

	for (; ((*s)[len] | 0x20) >= 'a' && ((*s)[len] | 0x20) <= 'z' && len < sizeof(word) - 1; len++)
		word[len] = (*s)[len];
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (str_eq_nocase(units[i].name, word)) {
			*s += len;
			return units[i].unit_s;
		}
	}
	return 0;
}

/* "1h 30m", from behind the first number. */
static enum err read_units(const char *s, struct number n, int64_t *seconds)
{
	int64_t before_s = INT64_MAX;
	enum err e = OK;

	*seconds = 0;
	for (;;) {
		int64_t unit_s = read_unit(&s);

		/* "1h30": what follows without a unit is the next smaller one. */
		if (!unit_s && !*s && before_s != INT64_MAX && !n.decimal && n.digits <= 2 && n.whole < 60)
			unit_s = before_s / 60;
		if (!unit_s || unit_s >= before_s)
			return ERR_FORMAT;
		*seconds += in_units(&n, unit_s);
		before_s = unit_s;
		skip_blank(&s);
		if (!*s)
			return OK;
		if (n.decimal) /* "1.5h 10m" is nobody's way to write */
			return ERR_FORMAT;
		e = read_number(&s, &n);
		if (e || !n.digits) /* "1h,30m": that comma is no decimal one */
			return e ? e : ERR_FORMAT;
		skip_blank(&s);
	}
}

static enum err read_any(const char *s, enum duration_style style, int64_t *seconds)
{
	struct number n;
	enum err e;

	if (strchr(s, ':'))
		return read_colons(s, seconds);
	e = read_number(&s, &n);
	if (e)
		return e;
	skip_blank(&s);
	if (*s)
		return read_units(s, n, seconds);
	*seconds = in_units(&n, n.decimal || style == DURATION_DECIMAL ? HOUR_S : MINUTE_S);
	return OK;
}

enum err duration_parse(const char *s, enum duration_style style, int64_t *seconds)
{
	int64_t read_s = 0;
	enum err e;

	skip_blank(&s);
	if (!*s)
		return ERR_REQUIRED;
	e = read_any(s, style, &read_s);
	if (e)
		return e;
	if (read_s > DURATION_MAX_S)
		return ERR_RANGE;
	*seconds = read_s;
	return OK;
}

/* Without a sign: the smallest int64_t has no positive twin. */
static uint64_t magnitude(int64_t s)
{
	return s < 0 ? 0 - (uint64_t)s : (uint64_t)s;
}

static const char *sign(bool negative)
{
	return negative ? "-" : "";
}

void duration_format_short(int64_t s, char out[DURATION_TEXT])
{
	uint64_t minutes = magnitude(s) / MINUTE_S;

	snprintf(out, DURATION_TEXT, "%s%" PRIu64 ":%02" PRIu64, sign(s < 0 && minutes), minutes / 60,
		minutes % 60);
}

void duration_format_clock(int64_t s, char out[DURATION_TEXT])
{
	uint64_t all = magnitude(s);

	snprintf(out, DURATION_TEXT, "%s%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, sign(s < 0), all / HOUR_S,
		all / MINUTE_S % 60, all % 60);
}

/* Hours with two or four decimals, to the nearest. */
static void format_hours(int64_t s, int decimals, char out[DURATION_TEXT])
{
	const uint64_t scale = decimals == 2 ? 100 : 10000;
	uint64_t all = magnitude(s);
	uint64_t parts = (all % HOUR_S * scale + HOUR_S / 2) / HOUR_S;
	uint64_t hours = all / HOUR_S + parts / scale; /* 0.999 h is 1.00 */
	uint64_t rest = parts % scale;
	bool negative = s < 0 && hours + rest > 0;

	snprintf(out, DURATION_TEXT, "%s%" PRIu64 ".%0*" PRIu64, sign(negative), hours, decimals, rest);
}

void duration_format_decimal(int64_t s, char out[DURATION_TEXT])
{
	format_hours(s, 2, out);
}

void duration_format_long(int64_t s, char out[DURATION_TEXT])
{
	uint64_t all = magnitude(s);
	uint64_t hours = all / HOUR_S;
	uint64_t minutes = all / MINUTE_S % 60;

	if (hours && minutes)
		snprintf(out, DURATION_TEXT, "%s%" PRIu64 " h %" PRIu64 " min", sign(s < 0), hours, minutes);
	else if (hours)
		snprintf(out, DURATION_TEXT, "%s%" PRIu64 " h", sign(s < 0), hours);
	else if (minutes || !all)
		snprintf(out, DURATION_TEXT, "%s%" PRIu64 " min", sign(s < 0), minutes);
	else
		snprintf(out, DURATION_TEXT, "%s%" PRIu64 " s", sign(s < 0), all);
}

void duration_format_input(int64_t s, enum duration_style style, char out[DURATION_TEXT])
{
	if (style == DURATION_DECIMAL && s % 36 == 0)
		format_hours(s, 2, out);
	else if (style == DURATION_DECIMAL)
		format_hours(s, 4, out); /* 0.36 s a step: every second has its own text */
	else if (s % MINUTE_S == 0)
		duration_format_short(s, out);
	else
		duration_format_clock(s, out);
}
