/* The person who asks: profile, password, organizations, sessions. */
#include "features/features.h"

#include "app/call.h"
#include "base/json.h"
#include "base/mem.h"
#include "crypto/crypto.h"
#include "features/common.h"

static const struct shape shape_me_organization = {
	.name = "MyOrganization",
	.attrs = (const struct attr[]){ ID("id"), TEXT("name"), { 0 } },
};

static const struct shape shape_me = {
	.name = "Me",
	.attrs = (const struct attr[]){
		ID("id"), { .name = "version", .type = ATTR_INT, .optional = true }, ID("member_id"),
		TEXT("name"), TEXT("email"), TEXT("role"), TEXT("zone"), TEXT("language"),
		INT("week_start"), BOOL("clock_12h"), BOOL("decimal_durations"),
		{ .name = "permissions", .type = ATTR_TEXTS },
		OBJECT("organization", shape_me_organization), { 0 } },
};

static const struct shape shape_membership = {
	.name = "Membership",
	.attrs = (const struct attr[]){ ID("organization_id"), TEXT("organization_name"),
		ID("member_id"), TEXT("role"), BOOL("current"), { 0 } },
};

static const struct shape shape_session = {
	.name = "Session",
	.attrs = (const struct attr[]){ ID("id"), TEXT("kind"), TEXT("user_agent"), TEXT("ip"),
		INSTANT("created_at"), INSTANT("last_seen_at"),
		INSTANT("expires_at"), BOOL("current"), { 0 } },
};

static const struct field update_fields[] = {
	{ .name = "name", .type = FIELD_TEXT, .flags = F_REQUIRED | F_PATCH, .max = 100 },
	{ .name = "zone", .type = FIELD_ZONE },
	{ .name = "week_start", .type = FIELD_INT, .min = 1, .max = 7, .text = "1 Monday … 7 Sunday." },
	{ .name = "clock_12h", .type = FIELD_BOOL },
	{ .name = "decimal_durations", .type = FIELD_BOOL },
	{ 0 },
};

static const struct field password_fields[] = {
	{ .name = "current_password", .type = FIELD_PASSWORD, .flags = F_REQUIRED },
	{ .name = "password", .type = FIELD_PASSWORD, .flags = F_REQUIRED, .min = 10, .max = 200 },
	{ 0 },
};

/* Whoever changes the password proves the old one; every other session and token of the person ends. */
static enum err password_change(struct call *c)
{
	struct db_result *rows;
	enum err e = call_query(c, "auth_password_of", NULL, 0, &rows);

	if (e)
		return e;
	if (db_rows(rows) == 0)
		return fail(c, ERR_UNAUTHENTICATED, NULL);
	if (!password_verify(db_text(rows, 0, "password_hash"), call_text(c, "current_password")))
		return fail(c, ERR_PASSWORD_WRONG, "current_password");
	const struct pair given[] = {
		{ "password_hash", password_hash(c->rq->mem, call_text(c, "password")) },
	};

	return call_query(c, "auth_password_change", given, 1, &rows);
}

const struct route me_routes[] = {
	{
		.name = "me.get",
		.summary = "The person who asks",
		.api = "GET /me",
		.page = "GET /settings/profile",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_ZONES,
		.reply = &shape_me,
		.view = "settings/profile",
		.title = N_("Profile"),
		.forms = { "me.update", "me.password" },
	},
	{
		.name = "me.update",
		.summary = "Change one's profile",
		.api = "PATCH /me",
		.page = "POST /settings/profile",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_WRITE,
		.fields = update_fields,
		.reply = &shape_me,
		.on = "me.get",
		.then = "/settings/profile",
		.done = N_("Profile saved."),
	},
	{
		.name = "me.password",
		.summary = "Change one's password; ends all other sessions and tokens",
		.api = "POST /me/password",
		.page = "POST /settings/password",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_WRITE | ROUTE_AUTH_POOL,
		.fields = password_fields,
		.on = "me.get",
		.then = "/settings/profile",
		.done = N_("Password changed. You are signed out everywhere else."),
		.fn = password_change,
	},
	{
		.name = "me.memberships",
		.summary = "The organizations one belongs to",
		.api = "GET /me/memberships",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_MANY,
		.reply = &shape_membership,
	},
	{
		.name = "me.sessions",
		.summary = "Where one is signed in",
		.api = "GET /me/sessions",
		.page = "GET /settings/sessions",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_MANY,
		.reply = &shape_session,
		.view = "settings/sessions",
		.title = N_("Sessions"),
	},
	{
		.name = "me.session_end",
		.summary = "Sign out one session or token",
		.api = "DELETE /me/sessions/{session_id}",
		.page = "POST /settings/sessions/{session_id}/end",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_WRITE | ROUTE_DELETES,
		.then = "/settings/sessions",
		.done = N_("Signed out there."),
	},
	{ 0 },
};
