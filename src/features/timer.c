/* The timer: the one running entry of a member, and the page where people spend their day. */
#include "features/features.h"

#include "features/common.h"

static const struct field start_fields[] = {
	FIELD_OF_ID,
	{ .name = "description", .type = FIELD_TEXT, .max = 500 },
	{ .name = "project_id", .type = FIELD_UUID, .flags = F_NULL },
	{ .name = "tags", .type = FIELD_UUIDS, .max = 50 },
	{ .name = "billable", .type = FIELD_BOOL },
	{ .name = "started_at", .type = FIELD_INSTANT, .flags = F_API },
	{ .name = "start", .type = FIELD_CLOCK, .flags = F_PAGE },
	{ .name = "start_fold", .type = FIELD_CHOICE, .flags = F_PAGE, .choices = choices_fold },
	{ .name = "duration_s", .type = FIELD_DURATION, .flags = F_NULL, .min = 1, .text = "Makes a finished entry that ends now." },
	{ .name = "switch", .type = FIELD_BOOL, .text = "Stops a running timer at the new start instead of refusing." },
	{ 0 },
};

static const struct field stop_fields[] = {
	{ .name = "ended_at", .type = FIELD_INSTANT, .flags = F_API },
	{ 0 },
};

static const struct field page_fields[] = {
	{ .name = "before", .type = FIELD_DATE },
	{ 0 },
};

const struct route timer_routes[] = {
	{
		.name = "timer.get",
		.summary = "The running entry, if there is one",
		.api = "GET /timer",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_OPTIONAL,
		.reply = &shape_entry,
	},
	{
		.name = "timer.start",
		.summary = "Start the timer",
		.api = "POST /timer/start",
		.page = "POST /timer/start",
		.need = PERM_TIME_OWN,
		.flags = ROUTE_WRITE | ROUTE_CREATES,
		.fields = start_fields,
		.reply = &shape_entry,
		.on = "timer.page",
		.then = "/timer",
	},
	{
		.name = "timer.stop",
		.summary = "Stop the timer",
		.api = "POST /timer/stop",
		.page = "POST /timer/stop",
		.need = PERM_TIME_OWN,
		.flags = ROUTE_WRITE,
		.fields = stop_fields,
		.reply = &shape_entry,
		.on = "timer.page",
		.then = "/timer",
	},
	{
		.name = "timer.page",
		.page = "GET /timer",
		.need = PERM_TIME_OWN,
		.fields = page_fields,
		.view = "timer/index",
		.title = N_("Timer"),
		.forms = { "timer.start", "time_entries.create" },
	},
	{ 0 },
};
