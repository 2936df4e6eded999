/*
 * Times of a wall clock from people. Knows no day and no zone: whether 2:30 exists that night is not its business.
 */
#include "domain/clocktime.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define TYPED_MAX 32

enum half {
	HALF_NONE,
	HALF_AM,
	HALF_PM,
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes "am", "p.m." and the like off the end of text. */
static enum half take_half(char *text)
{
	static const struct {
		const char *suffix;
		enum half half;
	} halves[] = {
		{ .suffix = "a.m.", .half = HALF_AM },
		{ .suffix = "p.m.", .half = HALF_PM },
		{ .suffix = "am", .half = HALF_AM },
		{ .suffix = "pm", .half = HALF_PM },
		{ .suffix = "a", .half = HALF_AM },
		{ .suffix = "p", .half = HALF_PM },
	};

	for (size_t i = 0; i < sizeof(halves) / sizeof(*halves); i++) {
		size_t len = strlen(text);
		size_t tail = strlen(halves[i].suffix);

		if (len <= tail || !str_eq_nocase(text + len - tail, halves[i].suffix))
			continue;
		len -= tail;
		while (len && text[len - 1] == ' ')
			len--;
		text[len] = '\0';
		return halves[i].half;
	}
	return HALF_NONE;
}

static bool two_digits(const char **s, int *out)
{
	if (!is_digit((*s)[0]) || !is_digit((*s)[1]))
		return false;
	*out = ((*s)[0] - '0') * 10 + ((*s)[1] - '0');
	*s += 2;
	return true;
}

/* "9", "940", "9:40", "9.40", "21h40", "21h", "9:40:15". */
static bool read_parts(const char *s, int *hour, int *minute, int *second)
{
	size_t digits = strspn(s, "0123456789");
	char separator;

	if (digits < 1 || digits > 4)
		return false;
	*hour = 0;
	for (size_t lead = digits > 2 ? digits - 2 : digits; lead; lead--)
		*hour = *hour * 10 + (*s++ - '0');
	if (digits > 2)
		return two_digits(&s, minute) && !*s;
	if (!*s)
		return true;
	separator = *s++;
	if ((separator == 'h' || separator == 'H') && !*s)
		return true;
	if (!strchr(":.hH", separator) || !two_digits(&s, minute))
		return false;
	if (separator == ':' && *s == ':') {
		s++;
		return two_digits(&s, second) && !*s;
	}
	return !*s;
}

static enum err read_clock(char *text, int32_t *second_of_day)
{
	enum half half = take_half(text);
	int hour;
	int minute = 0;
	int second = 0;

	if (!read_parts(text, &hour, &minute, &second))
		return ERR_FORMAT;
	if (minute > 59 || second > 59 || hour > (half ? 12 : 23) || (half && hour == 0))
		return ERR_RANGE;
	if (half)
		hour = hour % 12 + (half == HALF_PM ? 12 : 0);
	*second_of_day = hour * 3600 + minute * 60 + second;
	return OK;
}

enum err clocktime_parse(const char *s, int32_t *second_of_day)
{
	static const char blanks[] = " \t\r\n";
	char text[TYPED_MAX];
	size_t len;

	s += strspn(s, blanks);
	len = strlen(s);
	while (len && strchr(blanks, s[len - 1]))
		len--;
	if (!len)
		return ERR_REQUIRED;
	if (len >= sizeof(text))
		return ERR_FORMAT;
	memcpy(text, s, len);
	text[len] = '\0';
	return read_clock(text, second_of_day);
}

static int held(int32_t second_of_day)
{
	return second_of_day < 0 ? 0 : second_of_day > 86399 ? 86399
							     : second_of_day;
}

void clocktime_format(int32_t second_of_day, bool clock_12h, char out[CLOCKTIME_TEXT])
{
	int s = held(second_of_day);
	int hour = s / 3600;

	if (clock_12h)
		snprintf(out, CLOCKTIME_TEXT, "%d:%02d %s", (hour + 11) % 12 + 1, s / 60 % 60, hour < 12 ? "am" : "pm");
	else
		snprintf(out, CLOCKTIME_TEXT, "%d:%02d", hour, s / 60 % 60);
}

void clocktime_format_iso(int32_t second_of_day, char out[CLOCKTIME_TEXT])
{
	int s = held(second_of_day);

	snprintf(out, CLOCKTIME_TEXT, "%02d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
}
