/*
 * Instants and dates as programs write them. Strict: what people type by hand is read in domain/.
 *
 * The calendar arithmetic counts days of a year that begins in March, so that the leap day is its last
 * and the lengths of months follow one formula.
 */
#include "base/iso8601.h"

#include <string.h>

#define DAY_S 86400
#define SECOND_US 1000000
#define DAYS_MAX 2932896 /* 9999-12-31 */

/* Exactly n digits. */
static bool digits(const char **s, int n, int *out)
{
	*out = 0;
	for (; n; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		*out = *out * 10 + (**s - '0');
	}
	return true;
}

static bool literal(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

static bool read_date(const char **s, struct date *d)
{
	return digits(s, 4, &d->year) && literal(s, '-') && digits(s, 2, &d->month) &&
		literal(s, '-') && digits(s, 2, &d->day) && d->year >= 1970 && d->month >= 1 &&
		d->month <= 12 && d->day >= 1 && d->day <= month_days(d->year, d->month);
}

static bool read_clock(const char **s, int64_t *second)
{
	int hour;
	int minute;
	int sec;

	if (!digits(s, 2, &hour) || !literal(s, ':') || !digits(s, 2, &minute) || !literal(s, ':') ||
		!digits(s, 2, &sec) || hour > 23 || minute > 59 || sec > 59)
		return false;
	*second = hour * 3600 + minute * 60 + sec;
	return true;
}

/* At most nanoseconds are read; what is below a microsecond is cut. */
static bool read_fraction(const char **s, int64_t *us)
{
	int64_t unit = SECOND_US / 10;
	int n = 0;

	*us = 0;
	if (!literal(s, '.'))
		return true;
	for (; **s >= '0' && **s <= '9'; (*s)++, n++, unit /= 10)
		*us += (**s - '0') * unit;
	return n >= 1 && n <= 9;
}

static bool read_offset(const char **s, int64_t *offset_s)
{
	int sign = **s == '-' ? -1 : 1;
	int hour;
	int minute;

	*offset_s = 0;
	if (literal(s, 'Z') || literal(s, 'z'))
		return true;
	if (!literal(s, '+') && !literal(s, '-'))
		return false;
	if (!digits(s, 2, &hour) || !literal(s, ':') || !digits(s, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*offset_s = sign * (hour * 3600 + minute * 60);
	return true;
}

bool iso8601_parse(const char *s, int64_t *us)
{
	struct date d;
	int64_t second;
	int64_t fraction_us;
	int64_t offset_s;
	int64_t total_s;

	if (!read_date(&s, &d) || (!literal(&s, 'T') && !literal(&s, 't')) || !read_clock(&s, &second) ||
		!read_fraction(&s, &fraction_us) || !read_offset(&s, &offset_s) || *s)
		return false;
	total_s = date_to_days(d) * DAY_S + second - offset_s;
	if (total_s < 0 || total_s >= (int64_t)(DAYS_MAX + 1) * DAY_S)
		return false;
	*us = total_s * SECOND_US + fraction_us;
	return true;
}

static char *put(char *out, int n, int64_t value)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + n;
}

void date_format(struct date d, char out[ISO8601_MAX])
{
	out = put(out, 4, d.year);
	*out++ = '-';
	out = put(out, 2, d.month);
	*out++ = '-';
	out = put(out, 2, d.day);
	*out = '\0';
}

static char *put_clock(char *out, int64_t second)
{
	out = put(out, 2, second / 3600);
	*out++ = ':';
	out = put(out, 2, second / 60 % 60);
	*out++ = ':';
	return put(out, 2, second % 60);
}

void iso8601_format(int64_t us, char out[ISO8601_MAX])
{
	const int64_t max_us = (int64_t)(DAYS_MAX + 1) * DAY_S * SECOND_US - 1;
	int64_t held = us < 0 ? 0 : us > max_us ? max_us
						: us;
	int64_t second = held / SECOND_US;
	int64_t fraction = held % SECOND_US;

	date_format(date_from_days(second / DAY_S), out);
	out += strlen(out);
	*out++ = 'T';
	out = put_clock(out, second % DAY_S);
	if (fraction) {
		*out++ = '.';
		out = put(out, 6, fraction);
		while (out[-1] == '0')
			out--;
	}
	*out++ = 'Z';
	*out = '\0';
}

bool date_parse(const char *s, struct date *out)
{
	struct date d;

	if (!read_date(&s, &d) || *s)
		return false;
	*out = d;
	return true;
}

int64_t date_to_days(struct date d)
{
	int64_t year = d.month > 2 ? d.year : d.year - 1;
	int64_t month = d.month > 2 ? d.month - 3 : d.month + 9;
	int64_t day_of_year = (153 * month + 2) / 5 + d.day - 1;

	return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

struct date date_from_days(int64_t days)
{
	int64_t held = (days < 0 ? 0 : days > DAYS_MAX ? DAYS_MAX
						       : days) +
		719468;
	int64_t era = held / 146097;
	int64_t day_of_era = held % 146097;
	int64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * day_of_year + 2) / 153;

	return (struct date){
		.year = (int)(year + era * 400 + (month >= 10)),
		.month = (int)(month < 10 ? month + 3 : month - 9),
		.day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
	};
}

int date_weekday(struct date d)
{
	return (int)((date_to_days(d) + 3) % 7 + 1); /* 1970-01-01 was a Thursday */
}
