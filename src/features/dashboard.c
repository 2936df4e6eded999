/* The dashboard: where one stands today and this week, and what to go on with. */
#include "features/features.h"

#include "features/common.h"

static const struct shape shape_segment = {
	.name = "DaySegment",
	.attrs = (const struct attr[]){ SECONDS("start_s"), SECONDS("end_s"),
		SECONDS("duration_s"),
		{ .name = "color", .type = ATTR_INT, .nullable = true },
		TEXT_OR_NULL("label"), TEXT("type"), ID("entry_id"), BOOL("running"), { 0 } },
};

static const struct shape shape_today = {
	.name = "Today",
	.attrs = (const struct attr[]){ DATE("date"), SECONDS("length_s"), SECONDS("total_s"),
		LIST("segments", shape_segment), { 0 } },
};

static const struct shape shape_day = {
	.name = "DashboardDay",
	.attrs = (const struct attr[]){ DATE("date"), SECONDS("total_s"), BOOL("is_today"),
		SECONDS("target_s"), { 0 } },
};

static const struct shape shape_this_week = {
	.name = "DashboardWeek",
	.attrs = (const struct attr[]){ DATE("from"), DATE("to"), SECONDS("total_s"),
		SECONDS("target_s"), LIST("days", shape_day), { 0 } },
};

static const struct shape shape_project_total = {
	.name = "ProjectTotal",
	.attrs = (const struct attr[]){ ID_OR_NULL("id"), TEXT_OR_NULL("name"),
		{ .name = "color", .type = ATTR_INT, .nullable = true },
		TEXT_OR_NULL("client"), SECONDS("total_s"),
		{ .name = "share", .type = ATTR_ANY }, { 0 } },
};

static const struct shape shape_on = {
	.name = "WorkingProject",
	.attrs = (const struct attr[]){ ID("id"), TEXT("name"), { .name = "color", .type = ATTR_INT, .nullable = true },
		TEXT_OR_NULL("client"), { 0 } },
};

static const struct shape shape_working = {
	.name = "Working",
	.attrs = (const struct attr[]){ ID("member_id"), TEXT("name"), TEXT("initials"), ID("entry_id"), TEXT("description"),
		TEXT("type"), INSTANT("started_at"), SECONDS("duration_s"), OBJECT_OR_NULL("project", shape_on), { 0 } },
};

static const struct shape shape_dashboard = {
	.name = "Dashboard",
	.attrs = (const struct attr[]){ OBJECT("today", shape_today), OBJECT("week", shape_this_week),
		LIST("projects", shape_project_total),
		LIST("recent", shape_row), OBJECT_OR_NULL("running", shape_row),
		LIST("working", shape_working),
		{ 0 } },
};

const struct route dashboard_routes[] = {
	{
		.name = "dashboard.get",
		.summary = "Today, this week, and recent work",
		.api = "GET /dashboard",
		.page = "GET /",
		.need = PERM_TIME_OWN,
		.reply = &shape_dashboard,
		.view = "dashboard/index",
		.title = N_("Dashboard"),
	},
	{ 0 },
};
