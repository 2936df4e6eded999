/* Weeks, months and the names of zones. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "domain/period.h"
#include "domain/zones.h"

static struct date day(const char *text)
{
	struct date d = { 0 };

	ck_assert_msg(date_parse(text, &d), "%s", text);
	return d;
}

static const char *text(struct date d)
{
	char *out = mem_array(unit_mem, char, ISO8601_MAX);

	date_format(d, out);
	return out;
}

static void is(struct period p, const char *from, const char *to)
{
	ck_assert_str_eq(text(p.from), from);
	ck_assert_str_eq(text(p.to), to);
}

START_TEST(a_week_begins_where_the_person_says)
{
	is(period_week(day("2026-11-23"), 1), "2026-11-23", "2026-11-30");
	is(period_week(day("2026-11-29"), 1), "2026-11-23", "2026-11-30");
	is(period_week(day("2026-11-23"), 7), "2026-11-22", "2026-11-29");
	is(period_week(day("2026-11-22"), 7), "2026-11-22", "2026-11-29");
	is(period_week(day("2026-11-23"), 6), "2026-11-21", "2026-11-28");
	is(period_week(day("2026-01-01"), 1), "2025-12-29", "2026-01-05");
	for (int start = 1; start <= 7; start++) {
		for (int64_t n = 20000; n < 20400; n++) {
			struct period week = period_week(date_from_days(n), start);

			ck_assert_int_eq(date_weekday(week.from), start);
			ck_assert_int_eq(period_days(week), 7);
			ck_assert(period_has(week, date_from_days(n)));
		}
	}
}
END_TEST

START_TEST(weeks_and_months_follow_one_another)
{
	struct period week = period_week(day("2026-12-31"), 1);
	struct period month = period_month(day("2026-01-31"));

	is(period_shift_weeks(week, 1), "2027-01-04", "2027-01-11");
	is(period_shift_weeks(week, -1), "2026-12-21", "2026-12-28");
	is(period_shift_weeks(week, 0), "2026-12-28", "2027-01-04");
	is(month, "2026-01-01", "2026-02-01");
	is(period_shift_months(month, 1), "2026-02-01", "2026-03-01");
	is(period_shift_months(month, -1), "2025-12-01", "2026-01-01");
	is(period_shift_months(month, 25), "2028-02-01", "2028-03-01");
	ck_assert_int_eq(period_days(period_shift_months(month, 25)), 29);
	ck_assert(!period_has(month, day("2026-02-01")));
	ck_assert(!period_has(month, day("2025-12-31")));
}
END_TEST

START_TEST(the_edges_of_time_hold)
{
	struct period first = period_week(day("1970-01-02"), 1);
	struct period last = period_week(day("9999-12-31"), 1);

	is(first, "1970-01-01", "1970-01-05");
	is(period_shift_weeks(first, 1), "1970-01-05", "1970-01-12");
	is(period_shift_weeks(first, -1), "1970-01-01", "1970-01-01");
	is(last, "9999-12-27", "9999-12-31");
	ck_assert_str_eq(text(date_add_days(day("2026-01-01"), INT64_MAX)), "9999-12-31");
	ck_assert_str_eq(text(date_add_days(day("2026-01-01"), INT64_MIN)), "1970-01-01");
	ck_assert_str_eq(text(date_add_months(day("2026-01-01"), 2147483647)), "9999-12-31");
	ck_assert_str_eq(text(date_add_months(day("2026-01-01"), -2147483647)), "1970-01-01");
}
END_TEST

START_TEST(days_and_months_are_added)
{
	ck_assert_str_eq(text(date_add_days(day("2028-02-28"), 1)), "2028-02-29");
	ck_assert_str_eq(text(date_add_days(day("2027-03-01"), -1)), "2027-02-28");
	ck_assert_str_eq(text(date_add_months(day("2026-01-31"), 1)), "2026-02-28");
	ck_assert_str_eq(text(date_add_months(day("2028-01-31"), 1)), "2028-02-29");
	ck_assert_str_eq(text(date_add_months(day("2026-01-31"), -2)), "2025-11-30");
	ck_assert_str_eq(text(date_add_months(day("2026-12-15"), 1)), "2027-01-15");
	ck_assert_int_eq(date_days_in_month(2100, 2), 28);
	ck_assert_int_eq(date_days_in_month(2000, 2), 29);
	ck_assert_int_eq(date_days_in_month(2026, 12), 31);
	ck_assert_int_lt(date_compare(day("2025-12-31"), day("2026-01-01")), 0);
	ck_assert_int_gt(date_compare(day("2026-02-01"), day("2026-01-31")), 0);
	ck_assert_int_eq(date_compare(day("2026-02-01"), day("2026-02-01")), 0);
}
END_TEST

START_TEST(iso_weeks_belong_to_the_year_of_their_thursday)
{
	static const struct {
		const char *date;
		int year, week;
	} cases[] = {
		{ .date = "2026-11-23", .year = 2026, .week = 48 },
		{ .date = "2026-01-01", .year = 2026, .week = 1 },
		{ .date = "2025-12-29", .year = 2026, .week = 1 },
		{ .date = "2025-12-28", .year = 2025, .week = 52 },
		{ .date = "2026-12-31", .year = 2026, .week = 53 },
		{ .date = "2027-01-03", .year = 2026, .week = 53 },
		{ .date = "2027-01-04", .year = 2027, .week = 1 },
		{ .date = "2021-01-01", .year = 2020, .week = 53 },
		{ .date = "2024-12-30", .year = 2025, .week = 1 },
		{ .date = "1970-01-01", .year = 1970, .week = 1 },
		{ .date = "9999-12-31", .year = 9999, .week = 52 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct iso_week w = date_iso_week(day(cases[i].date));

		ck_assert_msg(w.year == cases[i].year && w.week == cases[i].week, "%s is %d-W%d", cases[i].date, w.year, w.week);
	}
}
END_TEST

START_TEST(zones_of_the_system_are_known)
{
	static const char *const good[] = { "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Calcutta", "Asia/Kolkata",
		"UTC", "Etc/GMT+5", "America/Port-au-Prince", "Australia/Lord_Howe" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(zone_is_valid(good[i]), "%s", good[i]);
}
END_TEST

START_TEST(what_is_no_zone_is_refused)
{
	static const char *const bad[] = {
		"",
		"Europe",
		"Europe/",
		"/Europe/Berlin",
		"Europe//Berlin",
		"europe/berlin",
		"Europe/Berlin ",
		"Mars/Olympus",
		"../../../etc/passwd",
		"Europe/../UTC",
		"Europe/./Berlin",
		"posix/Europe/Berlin",
		"right/UTC",
		"localtime",
		"posixrules",
		"Factory",
		"zone.tab",
		"tzdata.zi",
		"leapseconds",
		"/etc/localtime",
		"UTC\n",
		"Eur\\ope",
		"+1",
		"-01:00",
		"Europe/\xC3\x84",
		"CET-1CEST",
		":UTC",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};

	ck_assert(!zone_is_valid(NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!zone_is_valid(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(zones_to_choose_from_are_sorted_and_valid)
{
	size_t count = 0;
	const char *const *zones = zones_list(unit_mem, &count);
	bool berlin = false;
	bool utc = false;

	ck_assert_uint_gt(count, 300);
	ck_assert_ptr_null(zones[count]);
	for (size_t i = 0; i < count; i++) {
		ck_assert_msg(zone_is_valid(zones[i]), "%s", zones[i]);
		ck_assert_msg(!i || strcmp(zones[i - 1], zones[i]) < 0, "%s", zones[i]);
		berlin |= str_eq(zones[i], "Europe/Berlin");
		utc |= str_eq(zones[i], "UTC");
	}
	ck_assert(berlin);
	ck_assert(utc);
}
END_TEST

UNIT_MAIN("domain_period", a_week_begins_where_the_person_says, weeks_and_months_follow_one_another, the_edges_of_time_hold,
	days_and_months_are_added, iso_weeks_belong_to_the_year_of_their_thursday, zones_of_the_system_are_known,
	what_is_no_zone_is_refused, zones_to_choose_from_are_sorted_and_valid)
