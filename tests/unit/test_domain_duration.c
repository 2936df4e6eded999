/* Durations: everything people type, everything refused, and that what is shown reads back. */
#include "unit.h"

#include <string.h>

#include "domain/duration.h"

static const struct {
	const char *text;
	int64_t seconds;
} good[] = {
	{ .text = "1:30", .seconds = 5400 },
	{ .text = "0:45:10", .seconds = 2710 },
	{ .text = ":30", .seconds = 1800 },
	{ .text = "0:00", .seconds = 0 },
	{ .text = "001:05", .seconds = 3900 },
	{ .text = "100:00", .seconds = 360000 },
	{ .text = "1h 30m", .seconds = 5400 },
	{ .text = "1h30", .seconds = 5400 },
	{ .text = "1h30m", .seconds = 5400 },
	{ .text = "1h 5", .seconds = 3900 },
	{ .text = "1 h 30 min", .seconds = 5400 },
	{ .text = "1H30M", .seconds = 5400 },
	{ .text = "2hours 1minute", .seconds = 7260 },
	{ .text = "1 hr 2 mins 3 secs", .seconds = 3723 },
	{ .text = "90m", .seconds = 5400 },
	{ .text = "1h 90m", .seconds = 9000 },
	{ .text = "45s", .seconds = 45 },
	{ .text = "5m30", .seconds = 330 },
	{ .text = "1h 10s", .seconds = 3610 },
	{ .text = "1.5h", .seconds = 5400 },
	{ .text = "1,5 h", .seconds = 5400 },
	{ .text = "0.5m", .seconds = 30 },
	{ .text = "1h 1.5m", .seconds = 3690 },
	{ .text = "1.5", .seconds = 5400 },
	{ .text = "1,5", .seconds = 5400 },
	{ .text = ".25", .seconds = 900 },
	{ .text = ",5", .seconds = 1800 },
	{ .text = "2.0", .seconds = 7200 },
	{ .text = "0.333", .seconds = 1199 },
	{ .text = "0.33333333333333", .seconds = 1200 },
	{ .text = "  \t1:30\n ", .seconds = 5400 },
	{ .text = "10000h", .seconds = 36000000 },
};

START_TEST(durations_are_read_as_people_type_them)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		for (int style = DURATION_CLOCK; style <= DURATION_DECIMAL; style++) {
			int64_t s = -1;

			ck_assert_msg(duration_parse(good[i].text, (enum duration_style)style, &s) == OK, "%s", good[i].text);
			ck_assert_msg(s == good[i].seconds, "%s was read as %ld", good[i].text, (long)s);
		}
	}
}
END_TEST

START_TEST(a_bare_integer_is_what_the_style_says)
{
	int64_t s;

	ck_assert_int_eq(duration_parse("90", DURATION_CLOCK, &s), OK);
	ck_assert_int_eq(s, 5400);
	ck_assert_int_eq(duration_parse("2", DURATION_CLOCK, &s), OK);
	ck_assert_int_eq(s, 120);
	ck_assert_int_eq(duration_parse("2", DURATION_DECIMAL, &s), OK);
	ck_assert_int_eq(s, 7200);
	ck_assert_int_eq(duration_parse("90", DURATION_DECIMAL, &s), OK);
	ck_assert_int_eq(s, 90 * 3600);
}
END_TEST

START_TEST(what_is_unclear_is_refused)
{
	static const char *const bad[] = {
		"x",
		"-1",
		"+1",
		"1:5",
		"1:60",
		"1:30:60",
		"1:30:5",
		"1:30:05:10",
		"1:",
		"::",
		":",
		"1.5:30",
		"1:30h",
		"1:30 pm",
		"h",
		"1d",
		"1h 2d",
		"30m 1h",
		"1h 1h",
		"1h 60",
		"1h 100",
		"1h 2x",
		"1.5h 10m",
		"1h 1.5",
		"1.",
		"1,",
		".",
		"1.2.3",
		"1,234.5",
		"1h,30m",
		"45s 10",
		"5 6",
		"1e3",
		"0x10",
		"minutes",
		"1 minutess",
		"\xC2\xBD",
		"1\xC2\xA0h",
		"1:3\xC3\xBC",
		"12:345",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int64_t s = -7;

		ck_assert_msg(duration_parse(bad[i], DURATION_CLOCK, &s) == ERR_FORMAT, "%s", bad[i]);
		ck_assert_int_eq(s, -7);
	}
}
END_TEST

START_TEST(nothing_and_too_much_have_their_own_errors)
{
	int64_t s = -7;

	ck_assert_int_eq(duration_parse("", DURATION_CLOCK, &s), ERR_REQUIRED);
	ck_assert_int_eq(duration_parse(" \t ", DURATION_CLOCK, &s), ERR_REQUIRED);
	ck_assert_int_eq(duration_parse("10000:01", DURATION_CLOCK, &s), ERR_RANGE);
	ck_assert_int_eq(duration_parse("600001", DURATION_CLOCK, &s), ERR_RANGE);
	ck_assert_int_eq(duration_parse("99999999999999999999", DURATION_CLOCK, &s), ERR_RANGE);
	ck_assert_int_eq(duration_parse("9999999999:00", DURATION_CLOCK, &s), ERR_RANGE);
	ck_assert_int_eq(s, -7);
}
END_TEST

static const struct {
	int64_t s;
	const char *brief, *clock, *decimal, *longer;
} shown[] = {
	{ .s = 0, .brief = "0:00", .clock = "0:00:00", .decimal = "0.00", .longer = "0 min" },
	{ .s = 20, .brief = "0:00", .clock = "0:00:20", .decimal = "0.01", .longer = "20 s" },
	{ .s = 59, .brief = "0:00", .clock = "0:00:59", .decimal = "0.02", .longer = "59 s" },
	{ .s = 60, .brief = "0:01", .clock = "0:01:00", .decimal = "0.02", .longer = "1 min" },
	{ .s = 3599, .brief = "0:59", .clock = "0:59:59", .decimal = "1.00", .longer = "59 min" },
	{ .s = 3600, .brief = "1:00", .clock = "1:00:00", .decimal = "1.00", .longer = "1 h" },
	{ .s = 5405, .brief = "1:30", .clock = "1:30:05", .decimal = "1.50", .longer = "1 h 30 min" },
	{ .s = 360000, .brief = "100:00", .clock = "100:00:00", .decimal = "100.00", .longer = "100 h" },
	{ .s = -20, .brief = "0:00", .clock = "-0:00:20", .decimal = "-0.01", .longer = "-20 s" },
	{ .s = -10, .brief = "0:00", .clock = "-0:00:10", .decimal = "0.00", .longer = "-10 s" },
	{ .s = -5400, .brief = "-1:30", .clock = "-1:30:00", .decimal = "-1.50", .longer = "-1 h 30 min" },
	{ .s = INT64_MIN, .brief = "-2562047788015215:30", .clock = "-2562047788015215:30:08", .decimal = "-2562047788015215.50",
		.longer = "-2562047788015215 h 30 min" },
};

START_TEST(durations_are_shown)
{
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		char out[DURATION_TEXT];

		duration_format_short(shown[i].s, out);
		ck_assert_str_eq(out, shown[i].brief);
		duration_format_clock(shown[i].s, out);
		ck_assert_str_eq(out, shown[i].clock);
		duration_format_decimal(shown[i].s, out);
		ck_assert_str_eq(out, shown[i].decimal);
		duration_format_long(shown[i].s, out);
		ck_assert_str_eq(out, shown[i].longer);
	}
}
END_TEST

START_TEST(what_a_field_shows_reads_back_to_the_second)
{
	char out[DURATION_TEXT];

	duration_format_input(5400, DURATION_CLOCK, out);
	ck_assert_str_eq(out, "1:30");
	duration_format_input(5401, DURATION_CLOCK, out);
	ck_assert_str_eq(out, "1:30:01");
	duration_format_input(5400, DURATION_DECIMAL, out);
	ck_assert_str_eq(out, "1.50");
	for (int64_t s = 0; s < 100000; s++) {
		for (int style = DURATION_CLOCK; style <= DURATION_DECIMAL; style++) {
			int64_t back = -1;

			duration_format_input(s, (enum duration_style)style, out);
			if (duration_parse(out, (enum duration_style)style, &back) != OK || back != s)
				ck_abort_msg("%ld became %s became %ld", (long)s, out, (long)back);
		}
	}
}
END_TEST

UNIT_MAIN("domain_duration", durations_are_read_as_people_type_them, a_bare_integer_is_what_the_style_says,
	what_is_unclear_is_refused, nothing_and_too_much_have_their_own_errors, durations_are_shown,
	what_a_field_shows_reads_back_to_the_second)
