/* Time entries: what was done, when, for what. The rules of times stand in sql/functions/60-time-entries.sql. */
#include "features/features.h"

#include "features/common.h"

static const char *const types[] = { "work", "break", NULL };

static const struct shape shape_change = {
	.name = "EntryEvent",
	.attrs = (const struct attr[]){ INT("id"), INSTANT("at"), ID_OR_NULL("member_id"),
		TEXT_OR_NULL("who"), TEXT("action"),
		{ .name = "before", .type = ATTR_ANY },
		{ .name = "after", .type = ATTR_ANY }, { 0 } },
};

static const struct field list_fields[] = {
	{ .name = "from", .type = FIELD_INSTANT, .text = "Entries that end after this." },
	{ .name = "to", .type = FIELD_INSTANT, .text = "Entries that start before this." },
	{ .name = "member_id", .type = FIELD_UUID },
	{ .name = "project_id", .type = FIELD_UUID },
	{ .name = "client_id", .type = FIELD_UUID },
	{ .name = "tag_id", .type = FIELD_UUID },
	{ .name = "billable", .type = FIELD_BOOL },
	{ .name = "q", .type = FIELD_TEXT, .max = 200, .text = "Part of the description." },
	FIELDS_OF_LIST,
	{ 0 },
};

#define DURATION_SAYS "Instead of ended_at. Seconds, or text: 1:30, 1h 30m; a number in text is minutes."

/*
 * Programs give instants; people give a day and clock times where they are, or a duration. Only an undo on a page gives back
 * an instant, since no clock time says which second, and which of two hours, it was: so whose instants are is said by flag.
 */
#define ENTRY_FIELDS(instants) \
	{ .name = "description", .type = FIELD_TEXT, .max = 500 }, \
		{ .name = "project_id", .type = FIELD_UUID, .flags = F_NULL }, \
		{ .name = "tags", .type = FIELD_UUIDS, .max = 50 }, \
		{ .name = "billable", .type = FIELD_BOOL }, \
		{ .name = "type", .type = FIELD_CHOICE, .choices = types }, \
		{ .name = "started_at", .type = FIELD_INSTANT, .flags = (instants) }, \
		{ .name = "ended_at", .type = FIELD_INSTANT, .flags = (instants) }, \
		{ .name = "duration_s", .type = FIELD_DURATION, .min = 1, .text = DURATION_SAYS }, \
		{ .name = "day", .type = FIELD_DATE, .flags = F_PAGE }, \
		{ .name = "start", .type = FIELD_CLOCK, .flags = F_PAGE }, \
		{ .name = "end_day", .type = FIELD_DATE, .flags = F_PAGE }, \
		{ .name = "end", .type = FIELD_CLOCK, .flags = F_PAGE }, \
		{ .name = "start_fold", .type = FIELD_CHOICE, .flags = F_PAGE, .choices = choices_fold }, \
	{ \
		.name = "end_fold", .type = FIELD_CHOICE, .flags = F_PAGE, .choices = choices_fold \
	}

static const struct field create_fields[] = {
	FIELD_OF_ID,
	{ .name = "member_id", .type = FIELD_UUID, .flags = F_API, .text = "Somebody else's time." },
	ENTRY_FIELDS(F_API),
	{ 0 },
};

static const struct field update_fields[] = { ENTRY_FIELDS(0), { 0 } };

static const struct field copy_fields[] = { FIELD_OF_ID, { 0 } };

const struct route time_entries_routes[] = {
	{
		.name = "time_entries.list",
		.summary = "Entries, newest first",
		.api = "GET /time-entries",
		.need = PERM_TIME_OWN,
		.flags = ROUTE_MANY,
		.fields = list_fields,
		.reply = &shape_entry,
	},
	{
		.name = "time_entries.create",
		.summary = "Add an entry",
		.api = "POST /time-entries",
		.page = "POST /time-entries",
		.need = PERM_TIME_OWN,
		.flags = ROUTE_WRITE | ROUTE_CREATES,
		.fields = create_fields,
		.reply = &shape_entry,
		.on = "timer.page",
		.then = "/timer",
		.done = N_("Entry added."),
	},
	{
		.name = "time_entries.get",
		.summary = "One entry",
		.api = "GET /time-entries/{time_entry_id}",
		.need = PERM_TIME_OWN,
		.reply = &shape_entry,
	},
	{
		.name = "time_entries.edit",
		.page = "GET /time-entries/{time_entry_id}",
		.need = PERM_TIME_OWN,
		.view = "time_entries/edit",
		.title = N_("Entry"),
		.forms = { "time_entries.update" },
	},
	{
		.name = "time_entries.update",
		.summary = "Change an entry",
		.api = "PATCH /time-entries/{time_entry_id}",
		.page = "POST /time-entries/{time_entry_id}",
		.need = PERM_TIME_OWN,
		.flags = ROUTE_WRITE,
		.fields = update_fields,
		.reply = &shape_entry,
		.on = "time_entries.edit",
		.then = "/timer",
		.done = N_("Entry saved."),
	},
	{
		.name = "time_entries.delete",
		.summary = "Delete an entry",
		.api = "DELETE /time-entries/{time_entry_id}",
		.page = "POST /time-entries/{time_entry_id}/delete",
		.need = PERM_TIME_OWN,
		.flags = ROUTE_WRITE | ROUTE_DELETES,
		.on = "time_entries.edit",
		.then = "/timer",
		.done = N_("Entry deleted."),
		.undo = "time_entries.restore",
	},
	{
		.name = "time_entries.restore",
		.summary = "Take a deletion back",
		.api = "POST /time-entries/{time_entry_id}/restore",
		.page = "POST /time-entries/{time_entry_id}/restore",
		.need = PERM_TIME_OWN,
		.flags = ROUTE_WRITE,
		.reply = &shape_entry,
		.on = "timer.page",
		.then = "/timer",
		.done = N_("Entry restored."),
	},
	{
		.name = "time_entries.continue",
		.summary = "Start the timer with the same work",
		.api = "POST /time-entries/{time_entry_id}/continue",
		.page = "POST /time-entries/{time_entry_id}/continue",
		.need = PERM_TIME_OWN,
		.flags = ROUTE_WRITE | ROUTE_CREATES,
		.fields = copy_fields,
		.reply = &shape_entry,
		.on = "timer.page",
		.then = "/timer",
	},
	{
		.name = "time_entries.duplicate",
		.summary = "Make the same entry again",
		.api = "POST /time-entries/{time_entry_id}/duplicate",
		.page = "POST /time-entries/{time_entry_id}/duplicate",
		.need = PERM_TIME_OWN,
		.flags = ROUTE_WRITE | ROUTE_CREATES,
		.fields = copy_fields,
		.reply = &shape_entry,
		.on = "timer.page",
		.then = "/timer",
		.done = N_("Entry duplicated."),
	},
	{
		.name = "time_entries.history",
		.summary = "What was done to an entry, oldest first",
		.api = "GET /time-entries/{time_entry_id}/history",
		.need = PERM_TIME_OWN,
		.flags = ROUTE_MANY,
		.reply = &shape_change,
	},
	{ 0 },
};
