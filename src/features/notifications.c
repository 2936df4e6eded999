/*
 * Notifications: what a person should know of without having looked for it, and how they want to hear of which kind. The rows
 * are written in SQL (app.notify, where things happen); here they are read, marked and chosen. The link at the end of a
 * mail says by its seal whose it is, so that whoever holds it can only make that person's mail stop.
 */
#include "features/features.h"

#include <string.h>

#include "app/call.h"
#include "app/mail.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "crypto/crypto.h"
#include "features/common.h"

static const struct shape shape_notification = {
	.name = "Notification",
	.attrs = (const struct attr[]){ ID("id"), TEXT("kind"), { .name = "about", .type = ATTR_ANY },
		{ .name = "by_kind", .type = ATTR_ANY }, TEXT_OR_NULL("link"),
		INSTANT("created_at"), INSTANT_OR_NULL("read_at"), BOOL("unread"), { 0 } },
};

static const struct shape shape_count = {
	.name = "Count",
	.attrs = (const struct attr[]){ INT("count"), { 0 } },
};

static const struct shape shape_preference = {
	.name = "NotificationPreference",
	.attrs = (const struct attr[]){ TEXT("kind"), BOOL("in_app"), TEXT("mail"), { 0 } },
};

static const char *const choices_mail[] = { "off", "at_once", "daily", NULL };

static const struct field list_fields[] = {
	{ .name = "unread", .type = FIELD_BOOL, .text = "Only those not read yet." },
	FIELDS_OF_LIST,
	{ 0 },
};

static const struct field preference_fields[] = {
	{ .name = "in_app", .type = FIELD_BOOL, .text = "Shown in the list." },
	{ .name = "mail", .type = FIELD_CHOICE, .choices = choices_mail, .text = "off, at_once, or daily in the morning." },
	{ 0 },
};

static const struct field unsubscribe_fields[] = {
	{ .name = "for", .type = FIELD_TEXT, .max = 300 },
	{ .name = "List-Unsubscribe", .type = FIELD_TEXT, .max = 20 },
	{ 0 },
};

static const struct field unsubscribe_page_fields[] = {
	{ .name = "for", .type = FIELD_TEXT, .max = 300 },
	{ 0 },
};

/* "organization.member.seal", as jobs/notification_mail.c makes it. */
static enum err read_seal(struct call *c, const char *text, struct pair given[2])
{
	char *copy = mem_strdup(c->rq->mem, text ? text : "");
	char *member = strchr(copy, '.'), *seal = member ? strchr(member + 1, '.') : NULL;

	if (!seal)
		return fail(c, ERR_LINK_EXPIRED, "for");
	*seal++ = 0;
	if (!text_equal(seal, mac(c->rq->mem, c->app->conf->secret_key, UNSUBSCRIBE_SEAL, copy)))
		return fail(c, ERR_LINK_EXPIRED, "for");
	*member++ = 0;
	given[0] = (struct pair){ "organization", copy };
	given[1] = (struct pair){ "member", member };
	return OK;
}

/* A person presses the button of the page; their mail program posts to the link itself (RFC 8058), which then holds the seal. */
static enum err unsubscribe(struct call *c)
{
	const char *text = call_text(c, "for");
	struct pair given[2];
	struct db_result *rows;
	enum err e = read_seal(c, text ? text : pairs_get(&c->rq->query, "for"), given);

	return e ? e : call_query(c, "notifications_unsubscribe", given, 2, &rows);
}

const struct route notifications_routes[] = {
	{
		.name = "notifications.list",
		.summary = "One's notifications, newest first",
		.api = "GET /notifications",
		.page = "GET /notifications",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_MANY,
		.fields = list_fields,
		.reply = &shape_notification,
		.view = "notifications/index",
		.title = N_("Notifications"),
	},
	{
		.name = "notifications.unread",
		.summary = "How many are not read yet",
		.api = "GET /notifications/unread",
		.need = PERM_SIGNED_IN,
		.reply = &shape_count,
	},
	{
		.name = "notifications.read",
		.summary = "Mark one as read",
		.api = "POST /notifications/{notification_id}/read",
		.page = "POST /notifications/{notification_id}/read",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_WRITE,
		.reply = &shape_notification,
		.on = "notifications.list",
		.then = "/notifications",
	},
	{
		.name = "notifications.unread_again",
		.summary = "Mark one as not read",
		.api = "POST /notifications/{notification_id}/unread",
		.page = "POST /notifications/{notification_id}/unread",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_WRITE,
		.reply = &shape_notification,
		.on = "notifications.list",
		.then = "/notifications",
	},
	{
		.name = "notifications.read_all",
		.summary = "Mark all as read",
		.api = "POST /notifications/read-all",
		.page = "POST /notifications/read-all",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_WRITE,
		.reply = &shape_count,
		.on = "notifications.list",
		.then = "/notifications",
		.done = N_("All read."),
	},
	{
		.name = "notifications.preferences",
		.summary = "How one wants to hear of which kind",
		.api = "GET /me/notification-preferences",
		.page = "GET /settings/notifications",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_MANY,
		.reply = &shape_preference,
		.view = "notifications/preferences",
		.title = N_("Notifications"),
	},
	{
		.name = "notifications.prefer",
		.summary = "Change how one hears of a kind",
		.api = "PATCH /me/notification-preferences/{kind}",
		.page = "POST /settings/notifications/{kind}",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_WRITE,
		.fields = preference_fields,
		.reply = &shape_preference,
		.on = "notifications.preferences",
		.then = "/settings/notifications",
		.done = N_("Saved."),
	},
	{
		.name = "notifications.unsubscribe_page",
		.page = "GET /unsubscribe",
		.need = PERM_PUBLIC,
		.flags = ROUTE_STATIC,
		.fields = unsubscribe_page_fields,
		.view = "notifications/unsubscribe",
		.title = N_("Stop mails"),
		.forms = { "notifications.unsubscribe" },
	},
	{
		.name = "notifications.unsubscribe",
		.summary = "No more mails to the member the link was made for",
		.page = "POST /unsubscribe",
		.need = PERM_PUBLIC,
		.flags = ROUTE_WRITE,
		.fields = unsubscribe_fields,
		.on = "notifications.unsubscribe_page",
		.then = "/unsubscribe/done",
		.fn = unsubscribe,
	},
	{
		.name = "notifications.unsubscribed",
		.page = "GET /unsubscribe/done",
		.need = PERM_PUBLIC,
		.flags = ROUTE_STATIC,
		.view = "notifications/unsubscribed",
		.title = N_("Stop mails"),
	},
	{ 0 },
};
