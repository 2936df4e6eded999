/* The week: seven local days with their entries, cut at midnights. */
#include "features/features.h"

#include "features/common.h"

static const struct shape shape_cell = {
	.name = "WeekCell",
	.attrs = (const struct attr[]){ DATE("date"), SECONDS("total_s"), { 0 } },
};

static const struct shape shape_week_project = {
	.name = "WeekProject",
	.attrs = (const struct attr[]){ { .name = "project", .type = ATTR_ANY }, SECONDS("total_s"),
		LIST("cells", shape_cell), { 0 } },
};

static const struct shape shape_week_day = {
	.name = "WeekDay",
	.attrs = (const struct attr[]){ DATE("date"), BOOL("is_today"), SECONDS("length_s"),
		SECONDS("total_s"), LIST("entries", shape_row), { 0 } },
};

static const struct shape shape_week = {
	.name = "Week",
	.attrs = (const struct attr[]){ DATE("from"), DATE("to"), DATE("previous"), DATE("next"),
		DATE("today"), BOOL("current"), TEXT("zone"), ID("member_id"), TEXT("member_name"), BOOL("own"), SECONDS("total_s"),
		SECONDS("target_s"), LIST("days", shape_week_day),
		LIST("projects", shape_week_project), { 0 } },
};

static const struct field fields[] = {
	{ .name = "date", .type = FIELD_DATE, .text = "Any day of the week; today when absent." },
	{ .name = "member_id", .type = FIELD_UUID, .text = "Somebody else's week." },
	{ 0 },
};

const struct route week_routes[] = {
	{
		.name = "week.get",
		.summary = "One week, by day and by project",
		.api = "GET /week",
		.page = "GET /week",
		.need = PERM_TIME_OWN,
		.fields = fields,
		.reply = &shape_week,
		.view = "week/index",
		.title = N_("Week"),
	},
	{ 0 },
};
