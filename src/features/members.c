/* Members: the people of an organization and what they may. Inviting comes with the mail that does it. */
#include "features/features.h"

#include "features/common.h"

static const struct shape shape_member = {
	.name = "Member",
	.attrs = (const struct attr[]){ ID("id"), INT("version"), TEXT("name"), TEXT("email"),
		TEXT("role"), TEXT("zone"), BOOL("active"),
		INSTANT("created_at"), INSTANT("updated_at"), { 0 } },
};

static const char *const roles[] = { "owner", "manager", "member", NULL };

static const struct field list_fields[] = {
	{ .name = "q", .type = FIELD_TEXT, .max = 100, .text = "Part of the name or address." },
	{ .name = "active", .type = FIELD_BOOL },
	FIELDS_OF_LIST,
	{ 0 },
};

static const struct field update_fields[] = {
	{ .name = "role", .type = FIELD_CHOICE, .choices = roles },
	{ .name = "active", .type = FIELD_BOOL },
	{ 0 },
};

const struct route members_routes[] = {
	{
		.name = "members.list",
		.summary = "Members by name",
		.api = "GET /members",
		.page = "GET /team",
		.need = PERM_MEMBERS_VIEW,
		.flags = ROUTE_MANY,
		.fields = list_fields,
		.reply = &shape_member,
		.view = "members/index",
		.title = N_("Team"),
	},
	{
		.name = "members.get",
		.summary = "One member",
		.api = "GET /members/{member_id}",
		.page = "GET /team/{member_id}",
		.need = PERM_MEMBERS_VIEW,
		.reply = &shape_member,
		.view = "members/edit",
		.title = N_("Member"),
		.forms = { "members.update" },
	},
	{
		.name = "members.update",
		.summary = "Change a member's role, or switch the member off; ends what they are signed in with",
		.api = "PATCH /members/{member_id}",
		.page = "POST /team/{member_id}",
		.need = PERM_MEMBERS_EDIT,
		.flags = ROUTE_WRITE,
		.fields = update_fields,
		.reply = &shape_member,
		.on = "members.get",
		.then = "/team",
		.done = N_("Member saved."),
	},
	{ 0 },
};
