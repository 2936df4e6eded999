/* Times of the wall clock. */
#include "unit.h"

#include <string.h>

#include "domain/clocktime.h"

#define AT(hour, minute, second) ((hour)*3600 + (minute)*60 + (second))

static const struct {
	const char *text;
	int32_t at;
} good[] = {
	{ .text = "9:40", .at = AT(9, 40, 0) },
	{ .text = "09:40", .at = AT(9, 40, 0) },
	{ .text = "09:40:15", .at = AT(9, 40, 15) },
	{ .text = "9.40", .at = AT(9, 40, 0) },
	{ .text = "940", .at = AT(9, 40, 0) },
	{ .text = "0940", .at = AT(9, 40, 0) },
	{ .text = "2140", .at = AT(21, 40, 0) },
	{ .text = "9", .at = AT(9, 0, 0) },
	{ .text = "21", .at = AT(21, 0, 0) },
	{ .text = "0", .at = 0 },
	{ .text = "0:00", .at = 0 },
	{ .text = "23:59:59", .at = 86399 },
	{ .text = "21h40", .at = AT(21, 40, 0) },
	{ .text = "21H", .at = AT(21, 0, 0) },
	{ .text = "9:40 pm", .at = AT(21, 40, 0) },
	{ .text = "9:40PM", .at = AT(21, 40, 0) },
	{ .text = "9.40 p.m.", .at = AT(21, 40, 0) },
	{ .text = "940p", .at = AT(21, 40, 0) },
	{ .text = "9a", .at = AT(9, 0, 0) },
	{ .text = "12 am", .at = 0 },
	{ .text = "12:30 a.m.", .at = AT(0, 30, 0) },
	{ .text = "12pm", .at = AT(12, 0, 0) },
	{ .text = "11:59:59 pm", .at = 86399 },
	{ .text = " \t9:40 \n", .at = AT(9, 40, 0) },
};

START_TEST(times_are_read_as_people_type_them)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		int32_t at = -1;

		ck_assert_msg(clocktime_parse(good[i].text, &at) == OK, "%s", good[i].text);
		ck_assert_msg(at == good[i].at, "%s was read as %d", good[i].text, at);
	}
}
END_TEST

static void all_refused(const char *const *bad, size_t count, enum err e)
{
	for (size_t i = 0; i < count; i++) {
		int32_t at = -7;

		ck_assert_msg(clocktime_parse(bad[i], &at) == e, "%s", bad[i]);
		ck_assert_int_eq(at, -7);
	}
}

START_TEST(what_is_no_time_is_refused)
{
	static const char *const unread[] = {
		"x",
		"am",
		"p",
		"9:4",
		"9:",
		":40",
		"9:400",
		"12345",
		"9:40:1",
		"9:40:",
		"9.40.15",
		"9h4",
		"9x40",
		"9 40",
		"-9:40",
		"9:40 xm",
		"9:40 pmx",
		"\xD9\xA9",
		"9:40 PM CET and much more text than a time",
	};
	static const char *const beyond[] = { "24:00", "24", "2400", "25:00", "9:60", "960", "9:40:60", "13 pm", "13:00am",
		"0 am", "0:30 pm" };
	static const char *const empty[] = { "", "  " };

	all_refused(unread, sizeof(unread) / sizeof(*unread), ERR_FORMAT);
	all_refused(beyond, sizeof(beyond) / sizeof(*beyond), ERR_RANGE);
	all_refused(empty, sizeof(empty) / sizeof(*empty), ERR_REQUIRED);
}
END_TEST

START_TEST(times_are_shown_and_read_back)
{
	char out[CLOCKTIME_TEXT];

	clocktime_format(AT(9, 5, 59), false, out);
	ck_assert_str_eq(out, "9:05");
	clocktime_format(AT(0, 5, 0), true, out);
	ck_assert_str_eq(out, "12:05 am");
	clocktime_format(AT(12, 0, 0), true, out);
	ck_assert_str_eq(out, "12:00 pm");
	clocktime_format(-5, false, out);
	ck_assert_str_eq(out, "0:00");
	clocktime_format_iso(90000, out);
	ck_assert_str_eq(out, "23:59:59");
	for (int32_t s = 0; s < 86400; s++) {
		int32_t back = -1;

		clocktime_format_iso(s, out);
		if (clocktime_parse(out, &back) != OK || back != s)
			ck_abort_msg("%d became %s became %d", s, out, back);
		clocktime_format(s, s % 2, out);
		if (clocktime_parse(out, &back) != OK || back != s - s % 60)
			ck_abort_msg("%d became %s became %d", s, out, back);
	}
}
END_TEST

UNIT_MAIN("domain_clocktime", times_are_read_as_people_type_them, what_is_no_time_is_refused, times_are_shown_and_read_back)
