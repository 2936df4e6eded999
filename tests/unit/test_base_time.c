/* The clock, instants, dates and the ids that carry time. */
#include "unit.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/iso8601.h"
#include "base/uuid.h"

START_TEST(the_clock_can_be_frozen)
{
	int64_t before = clock_monotonic_us();

	clock_set_us(1234567);
	ck_assert_int_eq(clock_now_us(), 1234567);
	ck_assert_int_eq(clock_now_us(), 1234567);
	clock_set_us(0);
	ck_assert_int_gt(clock_now_us(), INT64_C(1700000000000000));
	ck_assert_int_ge(clock_monotonic_us(), before);
}
END_TEST

static const struct {
	const char *text;
	int64_t us;
} instants[] = {
	{ .text = "1970-01-01T00:00:00Z", .us = 0 },
	{ .text = "2026-11-02T09:40:00Z", .us = INT64_C(1793612400000000) },
	{ .text = "2026-11-02T10:40:00+01:00", .us = INT64_C(1793612400000000) },
	{ .text = "2026-11-02T04:10:00-05:30", .us = INT64_C(1793612400000000) },
	{ .text = "2026-11-02t09:40:00z", .us = INT64_C(1793612400000000) },
	{ .text = "2026-11-02T09:40:00.5Z", .us = INT64_C(1793612400500000) },
	{ .text = "2026-11-02T09:40:00.123456789Z", .us = INT64_C(1793612400123456) },
	{ .text = "2024-02-29T00:00:00-00:00", .us = INT64_C(1709164800000000) },
	{ .text = "9999-12-31T23:59:59.999999Z", .us = INT64_C(253402300799999999) },
};

START_TEST(instants_are_read)
{
	for (size_t i = 0; i < sizeof(instants) / sizeof(*instants); i++) {
		int64_t us = -1;

		ck_assert_msg(iso8601_parse(instants[i].text, &us), "%s", instants[i].text);
		ck_assert_int_eq(us, instants[i].us);
	}
}
END_TEST

START_TEST(what_is_no_instant_is_refused)
{
	static const char *const bad[] = {
		"",
		"2026-11-02",
		"2026-11-02T09:40Z",
		"2026-11-02T09:40:00",
		"2026-11-02 09:40:00Z",
		"2026-11-02T09:40:60Z",
		"2026-11-02T24:00:00Z",
		"2026-11-02T09:60:00Z",
		"2026-11-02T09:40:00.Z",
		"2026-11-02T09:40:00.1234567890Z",
		"2026-11-02T09:40:00+1:00",
		"2026-11-02T09:40:00+0100",
		"2026-11-02T09:40:00+24:00",
		"2026-11-02T09:40:00 01:00",
		"2026-11-02T09:40:00+01:60",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-04-00T00:00:00Z",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
		"2026-11-02T09:40:00Zx",
		"+2026-11-02T09:40:00Z",
		"-026-11-02T09:40:00Z",
		"2026-11-02T09:40:00,5Z",
		"2026-W45-1T09:40:00Z",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int64_t us = -7;

		ck_assert_msg(!iso8601_parse(bad[i], &us), "%s", bad[i]);
		ck_assert_int_eq(us, -7);
	}
}
END_TEST

START_TEST(instants_are_written)
{
	char out[ISO8601_MAX];

	iso8601_format(INT64_C(1793612400000000), out);
	ck_assert_str_eq(out, "2026-11-02T09:40:00Z");
	iso8601_format(INT64_C(1793612400500000), out);
	ck_assert_str_eq(out, "2026-11-02T09:40:00.5Z");
	iso8601_format(INT64_C(1793612400000001), out);
	ck_assert_str_eq(out, "2026-11-02T09:40:00.000001Z");
	iso8601_format(INT64_MIN, out);
	ck_assert_str_eq(out, "1970-01-01T00:00:00Z");
	iso8601_format(INT64_MAX, out);
	ck_assert_str_eq(out, "9999-12-31T23:59:59.999999Z");
}
END_TEST

/* Against counting by hand: every day from 1970 to 9999. */
START_TEST(every_day_follows_the_one_before)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct date d = { .year = 1970, .month = 1, .day = 1 };
	int weekday = 4;

	for (int64_t days = 0; d.year <= 9999; days++) {
		struct date back = date_from_days(days);
		bool leap = d.year % 4 == 0 && (d.year % 100 != 0 || d.year % 400 == 0);
		int length = d.month == 2 && leap ? 29 : lengths[d.month - 1];

		if (date_to_days(d) != days || back.year != d.year || back.month != d.month || back.day != d.day ||
			date_weekday(d) != weekday)
			ck_abort_msg("day %ld", (long)days);
		weekday = weekday % 7 + 1;
		if (++d.day > length) {
			d.day = 1;
			d.year += d.month == 12;
			d.month = d.month % 12 + 1;
		}
	}
}
END_TEST

START_TEST(dates_are_read_and_written)
{
	static const char *const bad[] = { "", "2026-2-01", "2026-02-30", "2026/02/01", "26-02-01", "2026-02-01 ",
		" 2026-02-01", "1969-12-31", "2026-02-0x", "20260201" };
	char out[ISO8601_MAX];
	struct date d = { 0 };

	ck_assert(date_parse("2028-02-29", &d));
	ck_assert_int_eq(d.year, 2028);
	ck_assert_int_eq(d.month, 2);
	ck_assert_int_eq(d.day, 29);
	date_format(d, out);
	ck_assert_str_eq(out, "2028-02-29");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!date_parse(bad[i], &d), "%s", bad[i]);
}
END_TEST

START_TEST(ids_are_version_7_and_carry_the_time)
{
	char id[UUID_TEXT];

	clock_set_us(INT64_C(1793612400123456));
	uuid_v7(id);
	ck_assert(uuid_is_valid(id));
	ck_assert_int_eq(strncmp(id, "01a19ba1-45fb-7", 15), 0);
	ck_assert_ptr_nonnull(strchr("89ab", id[19]));
}
END_TEST

START_TEST(ids_ascend_even_when_the_clock_steps_back)
{
	char before[UUID_TEXT] = "";
	char id[UUID_TEXT];

	for (int i = 0; i < 20000; i++) {
		clock_set_us(INT64_C(1793612400000000) + (i % 3 ? -i : i) * INT64_C(250));
		uuid_v7(id);
		ck_assert_str_gt(id, before);
		memcpy(before, id, sizeof(id));
	}
}
END_TEST

START_TEST(children_make_other_ids_than_their_parent)
{
	char ours[UUID_TEXT];
	char theirs[UUID_TEXT] = "";
	int fds[2];
	pid_t child;

	clock_set_us(INT64_C(1793612400000000));
	uuid_v7(ours);
	ck_assert_int_eq(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		uuid_v7(ours);
		_exit(write(fds[1], ours, sizeof(ours)) != (ssize_t)sizeof(ours));
	}
	ck_assert_int_eq(read(fds[0], theirs, sizeof(theirs)), sizeof(theirs));
	waitpid(child, NULL, 0);
	uuid_v7(ours);
	ck_assert_int_eq(strncmp(ours, theirs, 15), 0); /* the same millisecond … */
	ck_assert_str_ne(ours + 15, theirs + 15);
	ck_assert_int_ne(strncmp(ours + 15, theirs + 15, 8), 0); /* … and no common base that both grow from */
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(ids_are_recognised)
{
	static const char *const bad[] = { "", "01a19a5e-d4bb-7000-8000-00000000000", "01a19a5e-d4bb-7000-8000-0000000000000",
		"01a19a5ed4bb-7000-8000-000000000000-", "01a19a5e-d4bb-7000-8000-00000000000g",
		"{1a19a5e-d4bb-7000-8000-000000000000", " 1a19a5e-d4bb-7000-8000-000000000000" };
	char out[UUID_TEXT] = "";

	ck_assert(uuid_normalize("01A19A5E-D4BB-7000-8000-00000000ABCD", out));
	ck_assert_str_eq(out, "01a19a5e-d4bb-7000-8000-00000000abcd");
	ck_assert(uuid_is_valid("00000000-0000-0000-0000-000000000000"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!uuid_is_valid(bad[i]), "%s", bad[i]);
}
END_TEST

UNIT_MAIN("base_time", the_clock_can_be_frozen, instants_are_read, what_is_no_instant_is_refused, instants_are_written,
	every_day_follows_the_one_before, dates_are_read_and_written, ids_are_version_7_and_carry_the_time,
	ids_ascend_even_when_the_clock_steps_back, children_make_other_ids_than_their_parent, ids_are_recognised)
