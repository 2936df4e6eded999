/* Every formatter by tables: what goes in, for whom, what comes out. Days and clocks over the nights that are not 24 hours long. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/iso8601.h"
#include "base/json.h"
#include "base/mem.h"
#include "unit.h"
#include "view/formatters.h"
#include "view/i18n.h"
#include "view/view.h"
#include "domain/wall.h"

struct person {
	const char *zone, *now;
	bool clock_12h, decimal;
};

struct row {
	const char *tag, *json, *due; /* due NULL: refused in strict mode */
	struct person person;
};

static const char *shown(const struct row *r, bool strict, const char **why)
{
	struct view_env env = { .zone = r->person.zone ? r->person.zone : "Europe/Berlin",
		.language = "en",
		.clock_12h = r->person.clock_12h,
		.decimal_durations = r->person.decimal };
	struct json_object *doc =
		json_trusted(unit_mem, mem_printf(unit_mem, "{\"x\":%s}", r->json));
	struct views *v = views_new(unit_mem, strict);
	struct buf out;

	ck_assert(
		iso8601_parse(r->person.now ? r->person.now : "2026-11-23T12:00:00Z", &env.now_us));
	buf_init(&out, unit_mem);
	ck_assert_msg(views_add(v, "m", r->tag, strlen(r->tag), true, why) && views_link(v, why),
		"%s: %s", r->tag, *why);
	return view_render(v, "m", &env, &doc, 1, &out, why) ? out.data : NULL;
}

static void check(const struct row *rows)
{
	setlocale(LC_ALL, "C.UTF-8");
	for (const struct row *r = rows; r->tag; r++) {
		const char *why = "", *text = shown(r, true, &why);

		if (!r->due)
			ck_assert_msg(!text, "%s of %s gave %s", r->tag, r->json, text);
		else
			ck_assert_msg(text && !strcmp(text, r->due), "%s of %s: %s, not %s (%s)",
				r->tag, r->json, text ? text : "an error", r->due, why);
	}
}

#define DECIMAL \
	{ \
		.decimal = true \
	}
#define AMPM \
	{ \
		.clock_12h = true \
	}

START_TEST(durations)
{
	static const struct row rows[] = {
		{ .tag = "{{x | duration}}", .json = "0", .due = "0:00" },
		{ .tag = "{{x | duration}}", .json = "59", .due = "0:00" },
		{ .tag = "{{x | duration}}", .json = "5400", .due = "1:30" },
		{ .tag = "{{x | duration}}", .json = "5459", .due = "1:30" },
		{ .tag = "{{x | duration}}", .json = "360000", .due = "100:00" },
		{ .tag = "{{x | duration}}", .json = "-5400", .due = "-1:30" },
		{ .tag = "{{x | duration}}", .json = "\"5400\"", .due = "1:30" },
		{ .tag = "{{x | duration}}", .json = "null", .due = "" },
		{ .tag = "{{x | duration}}", .json = "\"soon\"", .due = NULL },
		{ .tag = "{{x | duration}}", .json = "[]", .due = NULL },
		{ .tag = "{{x | duration}}", .json = "5400", .due = "1.50", .person = DECIMAL },
		{ .tag = "{{x | duration}}", .json = "600", .due = "0.17", .person = DECIMAL },
		{ .tag = "{{x | clock}}", .json = "5405", .due = "1:30:05" },
		{ .tag = "{{x | clock}}", .json = "5405", .due = "1:30:05", .person = DECIMAL },
		{ .tag = "{{x | clock}}", .json = "\"x\"", .due = NULL },
		{ .tag = "{{x | hours}}", .json = "144000", .due = "40 h" },
		{ .tag = "{{x | hours}}", .json = "135000", .due = "37.5 h" },
		{ .tag = "{{x | hours}}", .json = "900", .due = "0.25 h" },
		{ .tag = "{{x | hours}}", .json = "-5400", .due = "-1.5 h" },
		{ .tag = "{{x | hours}}", .json = "108180", .due = "30.05 h" },
		{ .tag = "{{x | hours}}", .json = "true", .due = NULL },
		{ .tag = NULL },
	};
	check(rows);
}
END_TEST

START_TEST(clock_times)
{
	static const struct row rows[] = {
		{ .tag = "{{x | time}}", .json = "\"2026-11-23T08:40:00Z\"", .due = "09:40" },
		{ .tag = "{{x | time}}",
			.json = "\"2026-11-23T08:40:59.9+00:00\"",
			.due = "09:40" },
		{ .tag = "{{x | time}}",
			.json = "\"2026-11-23T08:40:00Z\"",
			.due = "9:40 am",
			.person = AMPM },
		{ .tag = "{{x | time}}",
			.json = "\"2026-11-23T23:05:00Z\"",
			.due = "12:05 am",
			.person = AMPM },
		{ .tag = "{{x | time}}",
			.json = "\"2026-11-23T11:05:00Z\"",
			.due = "12:05 pm",
			.person = AMPM },
		{ .tag = "{{x | time}}", .json = "\"13:05:00\"", .due = "13:05" },
		{ .tag = "{{x | time}}", .json = "\"13:05\"", .due = "1:05 pm", .person = AMPM },
		{ .tag = "{{x | time}}", .json = "\"1:05\"", .due = NULL },
		{ .tag = "{{x | time}}", .json = "\"later\"", .due = NULL },
		{ .tag = "{{x | time}}", .json = "null", .due = "" },
		/* Berlin, clocks back at 01:00 UTC: 2:30 twice. Forward: 1:59 then 3:00. */
		{ .tag = "{{x | time}}", .json = "\"2026-10-25T00:30:00Z\"", .due = "02:30" },
		{ .tag = "{{x | time}}", .json = "\"2026-10-25T01:30:00Z\"", .due = "02:30" },
		{ .tag = "{{x | time}}", .json = "\"2026-03-29T00:59:00Z\"", .due = "01:59" },
		{ .tag = "{{x | time}}", .json = "\"2026-03-29T01:00:00Z\"", .due = "03:00" },
		{ .tag = "{{x | time}}",
			.json = "\"2026-07-01T12:00:00Z\"",
			.due = "08:00",
			.person = { .zone = "America/New_York" } },
		{ .tag = "{{x | time}}",
			.json = "\"2026-07-01T12:00:00Z\"",
			.due = "17:30",
			.person = { .zone = "Asia/Kolkata" } },
		{ .tag = "{{x | time}}",
			.json = "\"2026-04-04T15:15:00Z\"",
			.due = "01:45",
			.person = { .zone = "Australia/Lord_Howe" } },
		{ .tag = "{{x | time}}",
			.json = "\"2026-07-01T12:00:00Z\"",
			.due = "12:00",
			.person = { .zone = "Mars/Base" } },
		{ .tag = "{{x | time}}",
			.json = "\"2026-07-01T12:00:00Z\"",
			.due = "12:00",
			.person = { .zone = "../../etc/passwd" } },
		{ .tag = NULL },
	};
	check(rows);
}
END_TEST

START_TEST(dates)
{
	static const struct row rows[] = {
		{ .tag = "{{x | date}}", .json = "\"2026-11-23\"", .due = "Mon 23 Nov" },
		{ .tag = "{{x | date}}", .json = "\"2025-01-01\"", .due = "Wed 1 Jan 2025" },
		{ .tag = "{{x | date}}", .json = "\"2026-11-22T23:30:00Z\"", .due = "Mon 23 Nov" },
		{ .tag = "{{x | date}}", .json = "\"2026-02-30\"", .due = NULL },
		{ .tag = "{{x | date}}", .json = "null", .due = "" },
		/* The year is the one it is where the person is. */
		{ .tag = "{{x | date}}",
			.json = "\"2027-01-01\"",
			.due = "Fri 1 Jan",
			.person = { .now = "2026-12-31T23:30:00Z" } },
		{ .tag = "{{x | day}}", .json = "\"2026-11-23\"", .due = "Today" },
		{ .tag = "{{x | day}}", .json = "\"2026-11-22\"", .due = "Yesterday" },
		{ .tag = "{{x | day}}", .json = "\"2026-11-21\"", .due = "Sat 21 Nov" },
		{ .tag = "{{x | day}}", .json = "\"2026-11-24\"", .due = "Tue 24 Nov" },
		{ .tag = "{{x | day}}",
			.json = "\"2026-11-24\"",
			.due = "Today",
			.person = { .now = "2026-11-23T23:10:00Z" } },
		{ .tag = "{{x | day}}",
			.json = "\"2026-11-23\"",
			.due = "Today",
			.person = { .now = "2026-11-24T03:10:00Z", .zone = "America/New_York" } },
		/* The day after the night of 25 hours. */
		{ .tag = "{{x | day}}",
			.json = "\"2026-10-25\"",
			.due = "Yesterday",
			.person = { .now = "2026-10-26T22:59:00Z" } },
		{ .tag = "{{x | day}}",
			.json = "\"2026-10-25\"",
			.due = "Today",
			.person = { .now = "2026-10-25T22:59:00Z" } },
		{ .tag = "{{x | long_date}}",
			.json = "\"2026-11-23\"",
			.due = "Monday 23 November 2026" },
		{ .tag = "{{x | weekday}}", .json = "\"2026-11-29\"", .due = "Sun" },
		{ .tag = "{{x | weekday \"long\"}}", .json = "\"2026-11-29\"", .due = "Sunday" },
		{ .tag = "{{x | month}}", .json = "\"2026-05-31\"", .due = "May 2026" },
		{ .tag = "{{x | iso_date}}",
			.json = "\"2026-11-22T23:30:00Z\"",
			.due = "2026-11-23" },
		{ .tag = "{{x | instant_iso}}",
			.json = "\"2026-11-22T23:30:00+01:00\"",
			.due = "2026-11-22T22:30:00Z" },
		{ .tag = "{{x | instant_iso}}", .json = "\"2026-11-22\"", .due = NULL },
		{ .tag = "{{x | datetime}}",
			.json = "\"2026-11-23T08:40:00Z\"",
			.due = "Today, 09:40" },
		{ .tag = "{{x | datetime}}",
			.json = "\"2026-11-20T20:40:00Z\"",
			.due = "Fri 20 Nov, 9:40 pm",
			.person = AMPM },
		{ .tag = "{{x | datetime}}", .json = "3", .due = NULL },
		{ .tag = NULL },
	};
	check(rows);
}
END_TEST

START_TEST(how_long_ago)
{
	static const struct row rows[] = {
		{ .tag = "{{x | ago}}", .json = "\"2026-11-23T11:59:30Z\"", .due = "just now" },
		{ .tag = "{{x | ago}}", .json = "\"2026-11-23T12:05:00Z\"", .due = "just now" },
		{ .tag = "{{x | ago}}", .json = "\"2026-11-23T11:59:00Z\"", .due = "1 minute ago" },
		{ .tag = "{{x | ago}}",
			.json = "\"2026-11-23T11:01:00Z\"",
			.due = "59 minutes ago" },
		{ .tag = "{{x | ago}}", .json = "\"2026-11-23T11:00:00Z\"", .due = "1 hour ago" },
		{ .tag = "{{x | ago}}", .json = "\"2026-11-22T12:01:00Z\"", .due = "23 hours ago" },
		{ .tag = "{{x | ago}}", .json = "\"2026-11-22T12:00:00Z\"", .due = "1 day ago" },
		{ .tag = "{{x | ago}}", .json = "\"2026-11-17T12:00:00Z\"", .due = "6 days ago" },
		{ .tag = "{{x | ago}}", .json = "\"2026-11-16T12:00:00Z\"", .due = "Mon 16 Nov" },
		{ .tag = "{{x | ago}}", .json = "null", .due = "" },
		{ .tag = "{{x | ago}}", .json = "\"2026-11-16\"", .due = NULL },
		{ .tag = NULL },
	};
	check(rows);
}
END_TEST

START_TEST(words)
{
	static const struct row rows[] = {
		{ .tag = "{{x | plural \"{n} entry\" \"{n} entries\"}}",
			.json = "1",
			.due = "1 entry" },
		{ .tag = "{{x | plural \"{n} entry\" \"{n} entries\"}}",
			.json = "0",
			.due = "0 entries" },
		{ .tag = "{{x | plural \"one\" \"{n} of {x}\"}}", .json = "12", .due = "12 of 12" },
		{ .tag = "{{x | plural \"a\" \"b\"}}", .json = "\"many\"", .due = NULL },
		{ .tag = "{{x | initials}}", .json = "\"Ada Lovelace\"", .due = "AL" },
		{ .tag = "{{x | initials}}", .json = "\" ada  maria lovelace \"", .due = "AL" },
		{ .tag = "{{x | initials}}", .json = "\"ärger\"", .due = "Ä" },
		{ .tag = "{{x | initials}}", .json = "\"\"", .due = "" },
		{ .tag = "{{x | upper_first}}", .json = "\"über\"", .due = "Über" },
		{ .tag = "{{x | upper_first}}", .json = "\"\"", .due = "" },
		{ .tag = "{{x | role}}", .json = "\"manager\"", .due = "Manager" },
		{ .tag = "{{x | role}}", .json = "\"king\"", .due = NULL },
		{ .tag = "{{x | percent}}", .json = "37.5", .due = "38%" },
		{ .tag = "{{x | percent}}", .json = "0", .due = "0%" },
		{ .tag = "{{x | percent}}", .json = "0.4", .due = "under 1%" },
		{ .tag = "{{x | percent}}", .json = "100", .due = "100%" },
		{ .tag = "{{x | percent}}", .json = "null", .due = "" },
		{ .tag = "{{x | percent}}", .json = "\"all\"", .due = NULL },
		{ .tag = "{{x | default \"-\"}}", .json = "null", .due = "-" },
		{ .tag = "{{x | default \"-\"}}", .json = "0", .due = "0" },
		{ .tag = "{{x | url}}", .json = "\"a b/ü\"", .due = "a%20b%2F%C3%BC" },
		{ .tag = "{{x | asset}}", .json = "\"app.css\"", .due = "/static/app.css" },
		{ .tag = NULL },
	};
	check(rows);
}
END_TEST

START_TEST(forms)
{
	static const struct row rows[] = {
		{ .tag = "{{x | color}}", .json = "12", .due = "c12" },
		{ .tag = "{{x | color}}", .json = "null", .due = "c0" },
		{ .tag = "{{x | color}}", .json = "13", .due = NULL },
		{ .tag = "{{x | color}}", .json = "\"red\"", .due = NULL },
		{ .tag = "{{\"a\" | selected x}}", .json = "\"a\"", .due = " selected" },
		{ .tag = "{{\"a\" | selected x}}", .json = "\"b\"", .due = "" },
		{ .tag = "{{\"\" | selected x}}", .json = "null", .due = " selected" },
		{ .tag = "{{\"3\" | selected x}}", .json = "3", .due = " selected" },
		{ .tag = "{{x | checked}}", .json = "true", .due = " checked" },
		{ .tag = "{{x | checked}}", .json = "\"false\"", .due = "" },
		{ .tag = "{{x | checked}}", .json = "\"\"", .due = "" },
		{ .tag = "{{\"true\" | checked x}}", .json = "true", .due = " checked" },
		{ .tag = "{{\"true\" | checked x}}", .json = "false", .due = "" },
		{ .tag = "{{\"b\" | checked x}}", .json = "[\"a\",\"b\"]", .due = " checked" },
		{ .tag = "{{\"c\" | checked x}}", .json = "[\"a\",\"b\"]", .due = "" },
		{ .tag = "{{x | is \"a\" \"b\"}}", .json = "\"b\"", .due = "true" },
		{ .tag = "{{x | is \"a\" \"b\"}}", .json = "\"c\"", .due = "" },
		{ .tag = "{{x | json}}",
			.json = "{\"a\":[1,null]}",
			.due = "{&quot;a&quot;:[1,null]}" },
		{ .tag = "{{x | json}}", .json = "null", .due = "null" },
		{ .tag = NULL },
	};
	check(rows);
}
END_TEST

START_TEST(lenient_prints_what_it_cannot_read)
{
	static const struct row row = { .tag = "{{x | duration}}", .json = "\"<soon>\"" };
	const char *why;

	ck_assert_str_eq(shown(&row, false, &why), "&lt;soon&gt;");
}
END_TEST

START_TEST(a_day_begins_where_clocks_say)
{
	static const struct {
		const char *zone;
		int year, month, day;
		const char *start;
	} days[] = {
		{ .zone = "Europe/Berlin",
			.year = 2026,
			.month = 3,
			.day = 29,
			.start = "2026-03-28T23:00:00Z" },
		{ .zone = "Europe/Berlin",
			.year = 2026,
			.month = 10,
			.day = 26,
			.start = "2026-10-25T23:00:00Z" },
		{ .zone = "America/New_York",
			.year = 2026,
			.month = 11,
			.day = 1,
			.start = "2026-11-01T04:00:00Z" },
		{ .zone = "Australia/Lord_Howe",
			.year = 2026,
			.month = 10,
			.day = 4,
			.start = "2026-10-03T13:30:00Z" },
		{ .zone = "Africa/Cairo",
			.year = 2026,
			.month = 4,
			.day = 24,
			.start = "2026-04-23T22:00:00Z" },
		{ .zone = "America/Santiago",
			.year = 2026,
			.month = 9,
			.day = 6,
			.start = "2026-09-06T04:00:00Z" },
		{ .zone = "Pacific/Apia",
			.year = 2011,
			.month = 12,
			.day = 31,
			.start = "2011-12-30T10:00:00Z" },
		{ .zone = "UTC",
			.year = 2026,
			.month = 1,
			.day = 1,
			.start = "2026-01-01T00:00:00Z" },
	};

	for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++) {
		char text[ISO8601_MAX];

		iso8601_format(
			wall_day_start_us(days[i].zone, days[i].year, days[i].month, days[i].day),
			text);
		ck_assert_msg(!strcmp(text, days[i].start), "%s: %s, not %s", days[i].zone, text,
			days[i].start);
	}
}
END_TEST

/* So that find works by any list, and the documentation is never behind. */
START_TEST(the_table_is_sorted_and_told)
{
	const struct formatter *all = formatters_all();

	for (size_t i = 0; all[i].name; i++) {
		ck_assert(!i || strcmp(all[i - 1].name, all[i].name) < 0);
		ck_assert_ptr_eq(formatter_find(all[i].name, strlen(all[i].name)), &all[i]);
		ck_assert(all[i].text && *all[i].text && all[i].least <= all[i].most);
	}
	ck_assert_ptr_null(formatter_find("", 0));
}
END_TEST

START_TEST(few_make_markup)
{
	static const char *const closed[] = { "bars", "checked", "ranked", "selected", "timeline" };
	size_t found = 0;

	for (const struct formatter *f = formatters_all(); f->name; f++) {
		if (f->markup) {
			ck_assert_uint_lt(found, 5);
			ck_assert_str_eq(f->name, closed[found++]);
		}
	}
	ck_assert_uint_eq(found, 5);
}
END_TEST

UNIT_MAIN("view_formatters", durations, clock_times, dates, how_long_ago, words, forms,
	lenient_prints_what_it_cannot_read, a_day_begins_where_clocks_say,
	the_table_is_sorted_and_told, few_make_markup)
