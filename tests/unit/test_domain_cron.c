/* Schedules: what is read, what is refused and why, and where the next slot is, in every kind of night. */
#include "unit.h"

#include <string.h>

#include "base/iso8601.h"
#include "base/mem.h"
#include "domain/cron.h"

static struct cron schedule(const char *text)
{
	struct cron c;
	const char *why = "";

	ck_assert_msg(cron_parse(text, &c, &why), "\"%s\": %s", text, why);
	return c;
}

static int64_t at(const char *text)
{
	int64_t us = 0;

	ck_assert_msg(iso8601_parse(text, &us), "%s", text);
	return us / 1000000;
}

/* The slots after a moment, one by one. */
#define NEXT(text, zone, from, ...) next_are(text, zone, from, (const char *const[]){ __VA_ARGS__, NULL })

static void next_are(const char *text, const char *zone, const char *from, const char *const *slots)
{
	struct cron c = schedule(text);
	int64_t s = at(from);

	for (; *slots; slots++) {
		char is[ISO8601_MAX];

		s = cron_next(&c, zone, s);
		iso8601_format(s * 1000000, is);
		ck_assert_msg(s == at(*slots), "\"%s\" in %s after %s: %s, not %s", text, zone, from, is, *slots);
	}
}

START_TEST(reads_lists_ranges_steps_and_names)
{
	struct cron c = schedule("0,15-17,*/30 8-18/5 1,31 jan,MAR-may mon-fri");

	ck_assert_uint_eq(c.minutes, (1ULL << 0) | (1ULL << 15) | (1ULL << 16) | (1ULL << 17) | (1ULL << 30));
	ck_assert_uint_eq(c.hours, (1U << 8) | (1U << 13) | (1U << 18));
	ck_assert_uint_eq(c.days, (1U << 1) | (1U << 31));
	ck_assert_uint_eq(c.months, (1U << 1) | (1U << 3) | (1U << 4) | (1U << 5));
	ck_assert_uint_eq(c.weekdays, 0x3e);
	ck_assert(!c.any_hour && !c.any_day && !c.any_weekday);
	ck_assert_uint_eq(schedule("* * * * 7").weekdays, 1);
	ck_assert_uint_eq(schedule("* * * * 0,7").weekdays, 1);
	ck_assert_uint_eq(schedule("* * * * 5-7").weekdays, 0x61);
	ck_assert_uint_eq(schedule("* * * * *").weekdays, 0x7f);
	ck_assert_uint_eq(schedule("50/5 * * * *").minutes, (1ULL << 50) | (1ULL << 55));
	ck_assert_uint_eq(schedule(" \t5  6\t* * * ").minutes, 1ULL << 5);
}
END_TEST

START_TEST(refuses_what_is_no_schedule_and_says_which_field)
{
	static const char *const bad[][2] = {
		{ "", "minute" }, { "60 * * * *", "minute" }, { "-1 * * * *", "minute" }, { "1,,2 * * * *", "minute" },
		{ "1- * * * *", "minute" }, { "5-1 * * * *", "minute" }, { "*/0 * * * *", "minute" }, { "*/ * * * *", "minute" },
		{ "/5 * * * *", "minute" }, { "a * * * *", "minute" }, { "mon * * * *", "minute" }, { "1.5 * * * *", "minute" },
		{ "100 * * * *", "minute" }, { "*-5 * * * *", "minute" }, { "1x * * * *", "minute" },
		{ "@reboot", "minute" }, { "@dailyx", "minute" },
		{ "* 24 * * *", "hour" }, { "*", "hour" }, { "* * 0 * *", "day of month" }, { "* * 32 * *", "day of month" },
		{ "* * * 0 *", "month" }, { "* * * 13 *", "month" }, { "* * * january *", "month" }, { "* * * mon *", "month" },
		{ "* * * * 8", "day of week" }, { "* * * * monday", "day of week" }, { "* * * * jan", "day of week" },
		{ "* * * *", "day of week" }, { "* * * * * *", "more than five fields" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *why = NULL;
		struct cron c;

		ck_assert_msg(!cron_parse(bad[i][0], &c, &why), "\"%s\" was read", bad[i][0]);
		ck_assert_msg(why && strcmp(why, bad[i][1]) == 0, "\"%s\": %s", bad[i][0], why);
		ck_assert(!cron_parse(bad[i][0], &c, NULL));
	}
}
END_TEST

START_TEST(names_for_common_schedules)
{
	NEXT("@hourly", "UTC", "2026-06-01T12:00:00Z", "2026-06-01T13:00:00Z");
	NEXT("@daily", "UTC", "2026-06-01T12:00:00Z", "2026-06-02T00:00:00Z");
	NEXT("@midnight", "UTC", "2026-06-01T12:00:00Z", "2026-06-02T00:00:00Z");
	NEXT("@weekly", "UTC", "2026-06-01T12:00:00Z", "2026-06-07T00:00:00Z");
	NEXT("@monthly", "UTC", "2026-06-01T12:00:00Z", "2026-07-01T00:00:00Z");
	NEXT("@yearly", "UTC", "2026-06-01T12:00:00Z", "2027-01-01T00:00:00Z");
	NEXT("@annually", "UTC", "2026-06-01T12:00:00Z", "2027-01-01T00:00:00Z");
}
END_TEST

START_TEST(the_next_slot_lies_behind_the_moment)
{
	NEXT("0 12 * * *", "UTC", "2026-06-01T11:59:59Z", "2026-06-01T12:00:00Z");
	NEXT("0 12 * * *", "UTC", "2026-06-01T12:00:00Z", "2026-06-02T12:00:00Z");
	NEXT("*/20 * * * *", "UTC", "2026-12-31T23:30:30Z", "2026-12-31T23:40:00Z", "2027-01-01T00:00:00Z", "2027-01-01T00:20:00Z");
	NEXT("30 8 * * mon-fri", "Europe/Berlin", "2026-06-05T08:00:00Z", "2026-06-08T06:30:00Z", "2026-06-09T06:30:00Z");
	NEXT("0 0 1 jan *", "Pacific/Kiritimati", "2026-06-01T00:00:00Z", "2026-12-31T10:00:00Z");
}
END_TEST

/* Both day fields restricted: either may match. One a star, or a step from one: both must. */
START_TEST(either_day_field_may_match)
{
	NEXT("0 0 13 * fri", "UTC", "2026-02-01T00:00:00Z", "2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z",
		"2026-02-27T00:00:00Z", "2026-03-06T00:00:00Z", "2026-03-13T00:00:00Z");
	NEXT("0 0 15 * fri", "UTC", "2026-02-07T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-15T00:00:00Z");
	NEXT("0 0 */2 * fri", "UTC", "2026-02-01T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-27T00:00:00Z");
	NEXT("0 0 * * fri", "UTC", "2026-02-01T00:00:00Z", "2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z");
}
END_TEST

START_TEST(days_that_are_rare_or_never_come)
{
	struct cron never = schedule("0 0 31 2,4,6,9,11 *");

	NEXT("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z");
	NEXT("0 0 29 2 *", "UTC", "2097-01-01T00:00:00Z", "2104-02-29T00:00:00Z");
	NEXT("0 0 31 * *", "UTC", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z");
	ck_assert_int_eq(cron_next(&never, "UTC", at("2026-01-01T00:00:00Z")), -1);
}
END_TEST

START_TEST(a_time_that_does_not_exist_runs_behind_the_gap)
{
	/* Berlin 02:00 to 03:00, Lord Howe 02:00 to 02:30, Cairo 00:00 to 01:00; Apia had no 30th of December. */
	NEXT("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
	NEXT("15,45 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z");
	NEXT("0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z");
	NEXT("30 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z");
	NEXT("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z");
	NEXT("45 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:45:00Z");
	NEXT("0 0 * * *", "Africa/Cairo", "2026-04-23T12:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z");
	NEXT("0 12 30 12 *", "Pacific/Apia", "2011-12-29T00:00:00Z", "2011-12-30T10:00:00Z", "2012-12-29T22:00:00Z");
	NEXT("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", "2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z");
}
END_TEST

START_TEST(of_a_time_that_comes_twice_the_first_counts)
{
	NEXT("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
	NEXT("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z");
	NEXT("30 23 * * *", "Africa/Cairo", "2026-10-29T12:00:00Z", "2026-10-29T20:30:00Z", "2026-10-30T21:30:00Z");
	NEXT("15 1,2 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T05:15:00Z", "2026-11-01T07:15:00Z");
}
END_TEST

START_TEST(every_so_often_goes_by_the_minutes_that_pass)
{
	NEXT("0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z");
	NEXT("0 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z");
	NEXT("*/30 * * * *", "Australia/Lord_Howe", "2026-10-03T15:00:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z");
}
END_TEST

/* Every slot of a year, one after the other, and none twice. */
START_TEST(a_year_has_as_many_slots_as_days)
{
	static const char *const zones[] = { "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago" };
	struct cron c = schedule("30 2 * * *");

	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		int n = 0;

		for (int64_t s = cron_next(&c, zones[i], at("2026-01-01T12:00:00Z")); s < at("2027-01-01T12:00:00Z"); s = cron_next(&c, zones[i], s))
			n++;
		ck_assert_int_eq(n, 365);
	}
}
END_TEST

UNIT_MAIN("domain_cron", reads_lists_ranges_steps_and_names, refuses_what_is_no_schedule_and_says_which_field, names_for_common_schedules,
	the_next_slot_lies_behind_the_moment, either_day_field_may_match, days_that_are_rare_or_never_come,
	a_time_that_does_not_exist_runs_behind_the_gap, of_a_time_that_comes_twice_the_first_counts,
	every_so_often_goes_by_the_minutes_that_pass, a_year_has_as_many_slots_as_days)
