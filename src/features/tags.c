/*
 * Tags: words put on entries. The exemplar of a noun: a shape, its fields, its routes, and nothing else here,
 * because sql/queries/tags.sql does the work and templates/tags/ shows it. Copy this file for a new noun.
 */
#include "features/features.h"

#include "features/common.h"

static const struct shape shape_tag = {
	.name = "Tag",
	.attrs = (const struct attr[]){ ID("id"), INT("version"), TEXT("name"), INT("entry_count"),
		INSTANT("created_at"), INSTANT("updated_at"), { 0 } },
};

static const struct field list_fields[] = {
	{ .name = "q", .type = FIELD_TEXT, .max = 100, .text = "Part of the name." },
	FIELDS_OF_LIST,
	{ 0 },
};

static const struct field create_fields[] = {
	FIELD_OF_ID,
	{ .name = "name", .type = FIELD_TEXT, .flags = F_REQUIRED, .max = 100 },
	{ 0 },
};

static const struct field update_fields[] = {
	{ .name = "name", .type = FIELD_TEXT, .flags = F_REQUIRED | F_PATCH, .max = 100 },
	{ 0 },
};

const struct route tags_routes[] = {
	{
		.name = "tags.list",
		.summary = "Tags by name",
		.api = "GET /tags",
		.page = "GET /tags",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_MANY,
		.fields = list_fields,
		.reply = &shape_tag,
		.view = "tags/index",
		.title = N_("Tags"),
		.forms = { "tags.create" },
	},
	{
		.name = "tags.create",
		.summary = "Make a tag",
		.api = "POST /tags",
		.page = "POST /tags",
		.need = PERM_TAGS_EDIT,
		.flags = ROUTE_WRITE | ROUTE_CREATES,
		.fields = create_fields,
		.reply = &shape_tag,
		.on = "tags.list",
		.then = "/tags",
		.done = N_("Tag added."),
	},
	{
		.name = "tags.get",
		.summary = "One tag",
		.api = "GET /tags/{tag_id}",
		.page = "GET /tags/{tag_id}",
		.need = PERM_SIGNED_IN,
		.reply = &shape_tag,
		.view = "tags/edit",
		.title = N_("Edit tag"),
		.forms = { "tags.update" },
	},
	{
		.name = "tags.update",
		.summary = "Change a tag",
		.api = "PATCH /tags/{tag_id}",
		.page = "POST /tags/{tag_id}",
		.need = PERM_TAGS_EDIT,
		.flags = ROUTE_WRITE,
		.fields = update_fields,
		.reply = &shape_tag,
		.on = "tags.get",
		.then = "/tags",
		.done = N_("Tag saved."),
	},
	{
		.name = "tags.delete",
		.summary = "Delete a tag; it goes off its entries",
		.api = "DELETE /tags/{tag_id}",
		.page = "POST /tags/{tag_id}/delete",
		.need = PERM_TAGS_EDIT,
		.flags = ROUTE_WRITE | ROUTE_DELETES,
		.on = "tags.get",
		.then = "/tags",
		.done = N_("Tag deleted."),
		.undo = "tags.restore",
	},
	{
		.name = "tags.restore",
		.summary = "Take a deletion back",
		.api = "POST /tags/{tag_id}/restore",
		.page = "POST /tags/{tag_id}/restore",
		.need = PERM_TAGS_EDIT,
		.flags = ROUTE_WRITE,
		.reply = &shape_tag,
		.on = "tags.list",
		.then = "/tags",
		.done = N_("Tag restored."),
	},
	{ 0 },
};
