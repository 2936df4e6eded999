/* Charts: that what is drawn is what the document says, that every bar is a link, and that nothing from a document gets out of its place. */
#include <string.h>

#include "base/iso8601.h"
#include "base/json.h"
#include "base/mem.h"
#include "unit.h"
#include "view/i18n.h"
#include "view/view.h"

static const char *drawn(const char *template, const char *json, const char *zone, const char *now)
{
	struct view_env env = { .zone = zone, .language = "en" };
	struct json_object *doc = json_trusted(unit_mem, json);
	struct views *v = views_new(unit_mem, true);
	const char *why = "";
	struct buf out;

	ck_assert_msg(doc, "%s", json);
	ck_assert(iso8601_parse(now, &env.now_us));
	buf_init(&out, unit_mem);
	ck_assert(views_add(v, "m", template, strlen(template), true, &why) && views_link(v, &why));
	return view_render(v, "m", &env, &doc, 1, &out, &why) ? out.data : why;
}

static int count_of(const char *text, const char *part)
{
	int n = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		n++;
	return n;
}

static void has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part), "no %s in %s", part, text);
}

static const char week[] =
	"{\"total_s\":39600,\"target_s\":144000,\"days\":["
	"{\"date\":\"2026-11-23\",\"total_s\":28800,\"target_s\":28800,\"is_today\":true},"
	"{\"date\":\"2026-11-24\",\"total_s\":10800,\"target_s\":28800,\"is_today\":false},"
	"{\"date\":\"2026-11-25\",\"total_s\":0,\"target_s\":28800,\"is_today\":false},"
	"{\"date\":\"2026-11-26\",\"total_s\":0,\"target_s\":28800,\"is_today\":false},"
	"{\"date\":\"2026-11-27\",\"total_s\":0,\"target_s\":28800,\"is_today\":false},"
	"{\"date\":\"2026-11-28\",\"total_s\":0,\"target_s\":0,\"is_today\":false},"
	"{\"date\":\"2026-11-29\",\"total_s\":0,\"target_s\":0,\"is_today\":false}]}";

START_TEST(bars_show_a_week)
{
	const char *svg = drawn("{{. | bars}}", week, "UTC", "2026-11-23T12:00:00Z");

	ck_assert_int_eq(count_of(svg, "<a href=\"/week?date=2026-11-2"), 7);
	ck_assert_int_eq(count_of(svg, "class=\"target\""), 5);
	ck_assert_int_eq(count_of(svg, ">0:00</text>"), 5);
	has(svg, "aria-label=\"Time by day: 11:00\"");
	has(svg, "<title>8:00, Mon 23 Nov</title>");
	has(svg,
		"class=\"bar-fill today\" x=\"2.86%\" y=\"20.0\" width=\"8.57%\" height=\"112.0\"");
	has(svg, "y=\"90.0\" width=\"8.57%\" height=\"42.0\"");
	has(svg, ">Sun</text>");
	ck_assert_ptr_null(strstr(svg, "style="));
}
END_TEST

START_TEST(bars_of_a_week_without_time)
{
	const char *svg =
		drawn("{{. | bars}}", "{\"days\":[{\"date\":\"2026-11-23\",\"total_s\":0}]}", "UTC",
			"2026-11-23T12:00:00Z");

	has(svg, "height=\"2.0\"");
	has(svg, ">0:00</text>");
}
END_TEST

START_TEST(a_chart_wants_its_document)
{
	ck_assert_str_eq(drawn("{{x | bars}}", "{\"x\":{}}", "UTC", "2026-11-23T12:00:00Z"),
		"m:1: bars: wants a week with its days, not \"{}\"");
	ck_assert_str_eq(drawn("{{x | timeline}}", "{\"x\":{}}", "UTC", "2026-11-23T12:00:00Z"),
		"m:1: timeline: wants a day with its segments, not \"{}\"");
	ck_assert_str_eq(drawn("{{x | ranked}}", "{\"x\":3}", "UTC", "2026-11-23T12:00:00Z"),
		"m:1: ranked: wants a list of projects, not \"3\"");
}
END_TEST

START_TEST(timeline_shows_the_working_hours)
{
	const char *svg = drawn("{{. | timeline}}",
		"{\"date\":\"2026-11-23\",\"length_s\":86400,\"total_s\":5400,\"segments\":["
		"{\"start_s\":36000,\"end_s\":39600,\"color\":3,\"label\":\"Plan\",\"entry_id\":"
		"\"e1\",\"running\":false},"
		"{\"start_s\":43200,\"end_s\":45000,\"color\":null,\"label\":\"\",\"entry_id\":"
		"\"e2\",\"running\":true}]}",
		"Europe/Berlin", "2026-11-23T11:30:00Z");

	has(svg, "<a href=\"/time-entries/e1\"><title>Plan, 10:00–11:00</title>");
	has(svg,
		"x=\"20.000%\" y=\"8\" width=\"10.000%\" height=\"12\" rx=\"2\" "
		"fill=\"var(--c3)\"");
	has(svg, "<title>No description, 12:00–now</title>");
	has(svg, "fill=\"var(--running)\"");
	has(svg, "class=\"now\" x1=\"45.00%\"");
	has(svg, ">08:00</text>");
	has(svg, ">18:00</text>");
}
END_TEST

START_TEST(timeline_widens_for_early_and_late)
{
	const char *svg = drawn("{{. | timeline}}",
		"{\"date\":\"2026-11-23\",\"length_s\":86400,\"total_s\":1,\"segments\":["
		"{\"start_s\":5000,\"end_s\":9000,\"color\":1,\"label\":\"a\",\"entry_id\":\"e1\","
		"\"running\":false},"
		"{\"start_s\":80000,\"end_s\":86400,\"color\":1,\"label\":\"b\",\"entry_id\":"
		"\"e2\",\"running\":false}]}",
		"UTC", "2026-11-24T11:30:00Z");

	has(svg, ">04:00</text>");
	has(svg, ">00:00</text>");
	ck_assert_ptr_null(strstr(svg, "class=\"now\""));
}
END_TEST

/* 25 October in Berlin: ten hours after midnight it is nine. */
START_TEST(timeline_labels_are_the_walls)
{
	const char *svg = drawn("{{. | timeline}}",
		"{\"date\":\"2026-10-25\",\"length_s\":90000,\"total_s\":3600,\"segments\":["
		"{\"start_s\":36000,\"end_s\":39600,\"color\":1,\"label\":\"x\",\"entry_id\":"
		"\"e1\",\"running\":false}]}",
		"Europe/Berlin", "2026-10-25T08:30:00Z");

	has(svg, "<title>x, 09:00–10:00</title>");
	has(svg, ">07:00</text>");
}
END_TEST

START_TEST(ranked_shows_projects)
{
	const char *svg = drawn("{{x | ranked}}",
		"{\"x\":[{\"id\":\"p1\",\"name\":\"Site\",\"client\":\"Acme\",\"color\":2,\"total_"
		"s\":7200},"
		"{\"id\":null,\"name\":null,\"client\":null,\"color\":null,\"total_s\":3600}]}",
		"UTC", "2026-11-23T12:00:00Z");

	has(svg, "height=\"80\"");
	has(svg, "<a href=\"/projects/p1\"><title>Site · Acme: 2:00</title>");
	has(svg, "width=\"100.00%\" height=\"4\" rx=\"2\" fill=\"var(--c2)\"");
	has(svg, "<title>No project: 1:00</title>");
	has(svg, "width=\"50.00%\"");
	ck_assert_str_eq(drawn("{{x | ranked}}", "{\"x\":[]}", "UTC", "2026-11-23T12:00:00Z"), "");
}
END_TEST

START_TEST(many_projects_become_others)
{
	struct buf json;
	const char *svg;

	buf_init(&json, unit_mem);
	for (int i = 0; i < 12; i++)
		buf_printf(&json,
			"%s{\"id\":\"p%d\",\"name\":\"n\",\"client\":null,\"color\":1,\"total_s\":"
			"3600}",
			i ? "," : "{\"x\":[", i);
	buf_puts(&json, "]}");
	svg = drawn("{{x | ranked}}", json.data, "UTC", "2026-11-23T12:00:00Z");
	ck_assert_int_eq(count_of(svg, "<a href"), 9);
	has(svg, ">Others</text>");
	has(svg, ">3:00</text>");
}
END_TEST

START_TEST(nothing_gets_out_of_its_place)
{
	const char *svg = drawn("{{x | ranked}}{{y | timeline}}",
		"{\"x\":[{\"id\":\"\\\"><script>\",\"name\":\"</"
		"svg><b>\",\"client\":null,\"color\":\"9)\\\"\",\"total_s\":1}],"
		"\"y\":{\"date\":\"x\",\"segments\":[{\"start_s\":-5,\"end_s\":1e300,\"color\":99,"
		"\"label\":\"<i>\","
		"\"entry_id\":\"\\\" onclick=\\\"\"}]}}",
		"UTC", "2026-11-23T12:00:00Z");

	ck_assert_ptr_null(strstr(svg, "<script"));
	ck_assert_ptr_null(strstr(svg, "<b>"));
	ck_assert_ptr_null(strstr(svg, "<i>"));
	ck_assert_ptr_null(strstr(svg, "\" onclick"));
	ck_assert_ptr_null(strstr(svg, "9)"));
}
END_TEST

UNIT_MAIN("view_charts", bars_show_a_week, bars_of_a_week_without_time, a_chart_wants_its_document,
	timeline_shows_the_working_hours, timeline_widens_for_early_and_late,
	timeline_labels_are_the_walls, ranked_shows_projects, many_projects_become_others,
	nothing_gets_out_of_its_place)
