/* Projects: what time is tracked on, for a client or for nobody. A project with entries is archived and not deleted. */
#include "features/features.h"

#include "features/common.h"

static const struct shape shape_project = {
	.name = "Project",
	.attrs = (const struct attr[]){ ID("id"), INT("version"), TEXT("name"),
		ID_OR_NULL("client_id"), TEXT_OR_NULL("client_name"),
		INT("color"), BOOL("billable"), BOOL("archived"),
		SECONDS("tracked_s"), INSTANT("created_at"),
		INSTANT("updated_at"), { 0 } },
};

#define PROJECT_FILTERS \
	{ .name = "q", .type = FIELD_TEXT, .max = 100, .text = "Part of its or its client's name." }, \
	{ \
		.name = "archived", .type = FIELD_CHOICE, .choices = choices_archived, .dflt = "false" \
	}

static const struct field list_fields[] = {
	PROJECT_FILTERS,
	{ .name = "client_id", .type = FIELD_UUID },
	FIELDS_OF_LIST,
	{ 0 },
};

static const struct field page_fields[] = { PROJECT_FILTERS, { 0 } };

#define PROJECT_FIELDS \
	{ .name = "client_id", .type = FIELD_UUID, .flags = F_NULL }, \
		{ .name = "color", .type = FIELD_INT, .min = 1, .max = 12, .text = "One of twelve colours." }, \
	{ \
		.name = "billable", .type = FIELD_BOOL \
	}

static const struct field create_fields[] = {
	FIELD_OF_ID,
	{ .name = "name", .type = FIELD_TEXT, .flags = F_REQUIRED, .max = 100 },
	PROJECT_FIELDS,
	{ 0 },
};

static const struct field update_fields[] = {
	{ .name = "name", .type = FIELD_TEXT, .flags = F_REQUIRED | F_PATCH, .max = 100 },
	PROJECT_FIELDS,
	{ .name = "archived", .type = FIELD_BOOL },
	{ 0 },
};

static const struct field archive_fields[] = {
	{ .name = "archived", .type = FIELD_BOOL, .flags = F_REQUIRED },
	{ 0 },
};

const struct route projects_routes[] = {
	{
		.name = "projects.list",
		.summary = "Projects by name",
		.api = "GET /projects",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_MANY,
		.fields = list_fields,
		.reply = &shape_project,
	},
	{
		.name = "projects.page",
		.page = "GET /projects",
		.need = PERM_SIGNED_IN,
		.fields = page_fields,
		.view = "projects/index",
		.title = N_("Projects"),
		.forms = { "projects.create", "projects.list" },
	},
	{
		.name = "projects.create",
		.summary = "Make a project",
		.api = "POST /projects",
		.page = "POST /projects",
		.need = PERM_PROJECTS_EDIT,
		.flags = ROUTE_WRITE | ROUTE_CREATES,
		.fields = create_fields,
		.reply = &shape_project,
		.on = "projects.page",
		.then = "/projects",
		.done = N_("Project added."),
	},
	{
		.name = "projects.get",
		.summary = "One project",
		.api = "GET /projects/{project_id}",
		.need = PERM_SIGNED_IN,
		.reply = &shape_project,
	},
	{
		.name = "projects.edit",
		.page = "GET /projects/{project_id}",
		.need = PERM_SIGNED_IN,
		.view = "projects/edit",
		.title = N_("Edit project"),
		.forms = { "projects.update" },
	},
	{
		.name = "projects.update",
		.summary = "Change or archive a project",
		.api = "PATCH /projects/{project_id}",
		.page = "POST /projects/{project_id}",
		.need = PERM_PROJECTS_EDIT,
		.flags = ROUTE_WRITE,
		.fields = update_fields,
		.reply = &shape_project,
		.on = "projects.edit",
		.then = "/projects",
		.done = N_("Project saved."),
	},
	{
		.name = "projects.archive",
		.page = "POST /projects/{project_id}/archive",
		.need = PERM_PROJECTS_EDIT,
		.flags = ROUTE_WRITE,
		.fields = archive_fields,
		.query = "projects_update",
		.on = "projects.edit",
		.then = "/projects/{project_id}",
		.done = N_("Project saved."),
	},
	{
		.name = "projects.delete",
		.summary = "Delete a project without entries",
		.api = "DELETE /projects/{project_id}",
		.page = "POST /projects/{project_id}/delete",
		.need = PERM_PROJECTS_EDIT,
		.flags = ROUTE_WRITE | ROUTE_DELETES,
		.on = "projects.edit",
		.then = "/projects",
		.done = N_("Project deleted."),
		.undo = "projects.restore",
	},
	{
		.name = "projects.restore",
		.summary = "Take a deletion back",
		.api = "POST /projects/{project_id}/restore",
		.page = "POST /projects/{project_id}/restore",
		.need = PERM_PROJECTS_EDIT,
		.flags = ROUTE_WRITE,
		.reply = &shape_project,
		.on = "projects.page",
		.then = "/projects",
		.done = N_("Project restored."),
	},
	{ 0 },
};
