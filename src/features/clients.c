/* Clients: whom work is done for. As tags, with an archive: what has projects is archived and not deleted. */
#include "features/features.h"

#include "features/common.h"

static const struct shape shape_client = {
	.name = "Client",
	.attrs = (const struct attr[]){ ID("id"), INT("version"), TEXT("name"), BOOL("archived"),
		INT("project_count"), INSTANT("created_at"),
		INSTANT("updated_at"), { 0 } },
};

static const struct field list_fields[] = {
	{ .name = "q", .type = FIELD_TEXT, .max = 100, .text = "Part of the name." },
	{ .name = "archived", .type = FIELD_CHOICE, .choices = choices_archived, .dflt = "false" },
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
	{ .name = "archived", .type = FIELD_BOOL },
	{ 0 },
};

static const struct field archive_fields[] = {
	{ .name = "archived", .type = FIELD_BOOL, .flags = F_REQUIRED },
	{ 0 },
};

const struct route clients_routes[] = {
	{
		.name = "clients.list",
		.summary = "Clients by name",
		.api = "GET /clients",
		.page = "GET /clients",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_MANY,
		.fields = list_fields,
		.reply = &shape_client,
		.view = "clients/index",
		.title = N_("Clients"),
		.forms = { "clients.create" },
	},
	{
		.name = "clients.create",
		.summary = "Make a client",
		.api = "POST /clients",
		.page = "POST /clients",
		.need = PERM_CLIENTS_EDIT,
		.flags = ROUTE_WRITE | ROUTE_CREATES,
		.fields = create_fields,
		.reply = &shape_client,
		.on = "clients.list",
		.then = "/clients",
		.done = N_("Client added."),
	},
	{
		.name = "clients.get",
		.summary = "One client",
		.api = "GET /clients/{client_id}",
		.page = "GET /clients/{client_id}",
		.need = PERM_SIGNED_IN,
		.reply = &shape_client,
		.view = "clients/edit",
		.title = N_("Edit client"),
		.forms = { "clients.update" },
	},
	{
		.name = "clients.update",
		.summary = "Change or archive a client",
		.api = "PATCH /clients/{client_id}",
		.page = "POST /clients/{client_id}",
		.need = PERM_CLIENTS_EDIT,
		.flags = ROUTE_WRITE,
		.fields = update_fields,
		.reply = &shape_client,
		.on = "clients.get",
		.then = "/clients",
		.done = N_("Client saved."),
	},
	{
		.name = "clients.archive",
		.page = "POST /clients/{client_id}/archive",
		.need = PERM_CLIENTS_EDIT,
		.flags = ROUTE_WRITE,
		.fields = archive_fields,
		.query = "clients_update",
		.on = "clients.get",
		.then = "/clients/{client_id}",
		.done = N_("Client saved."),
	},
	{
		.name = "clients.delete",
		.summary = "Delete a client without projects",
		.api = "DELETE /clients/{client_id}",
		.page = "POST /clients/{client_id}/delete",
		.need = PERM_CLIENTS_EDIT,
		.flags = ROUTE_WRITE | ROUTE_DELETES,
		.on = "clients.get",
		.then = "/clients",
		.done = N_("Client deleted."),
		.undo = "clients.restore",
	},
	{
		.name = "clients.restore",
		.summary = "Take a deletion back",
		.api = "POST /clients/{client_id}/restore",
		.page = "POST /clients/{client_id}/restore",
		.need = PERM_CLIENTS_EDIT,
		.flags = ROUTE_WRITE,
		.reply = &shape_client,
		.on = "clients.list",
		.then = "/clients",
		.done = N_("Client restored."),
	},
	{ 0 },
};
