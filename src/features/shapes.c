/* Shapes of replies and lists of choices that several nouns share. */
#include "features/common.h"

const char *const choices_archived[] = { "false", "true", "all", NULL };
const char *const choices_fold[] = { "first", "second", NULL };

const struct shape shape_entry = {
	.name = "TimeEntry",
	.attrs = (const struct attr[]){
		ID("id"), INT("version"), ID("member_id"), ID_OR_NULL("project_id"),
		ID_OR_NULL("task_id"), TEXT("description"), { .name = "tags", .type = ATTR_IDS },
		BOOL("billable"), TEXT("type"), INSTANT("started_at"), INSTANT_OR_NULL("ended_at"),
		SECONDS("duration_s"), TEXT("zone"), TEXT("status"), INSTANT("created_at"),
		INSTANT("updated_at"), { 0 } },
};

static const struct shape shape_row_project = {
	.name = "RowProject",
	.attrs = (const struct attr[]){ ID("id"), TEXT("name"), INT("color"), TEXT_OR_NULL("client"), { 0 } },
};

static const struct shape shape_row_tag = {
	.name = "RowTag",
	.attrs = (const struct attr[]){ ID("id"), TEXT("name"), { 0 } },
};

const struct shape shape_row = {
	.name = "Row",
	.attrs = (const struct attr[]){
		ID("id"), INT("version"), ID("member_id"), TEXT("description"), BOOL("billable"),
		TEXT("type"), INSTANT("started_at"), INSTANT_OR_NULL("ended_at"),
		SECONDS("duration_s"), TEXT("zone"), TEXT("status"), BOOL("running"),
		OBJECT_OR_NULL("project", shape_row_project), LIST("tags", shape_row_tag),
		{ .name = "part_s", .type = ATTR_SECONDS, .optional = true },
		{ .name = "continues_before", .type = ATTR_BOOL, .optional = true },
		{ .name = "continues_after", .type = ATTR_BOOL, .optional = true }, { 0 } },
};
