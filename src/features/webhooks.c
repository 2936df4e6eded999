/*
 * Webhooks: other programs that are told what happens. Endpoints, their secrets and what became of each delivery; telling
 * itself is background work (jobs/webhook_fan.c, jobs/webhook_deliver.c).
 *
 * A secret is made here, because SQL has no key to seal it with. It goes into the database sealed, comes back sealed in the
 * document of the one answer that shows it, and is opened for that answer alone: no stored answer, event or log line holds it.
 */
#include "features/features.h"

#include "app/call.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "crypto/webhook_secret.h"
#include "features/common.h"
#include "net/url.h"

#define WEBHOOK_ATTRS \
	ID("id"), INT("version"), TEXT("url"), TEXT("description"), { .name = "events", .type = ATTR_TEXTS }, BOOL("active"), \
		TEXT_OR_NULL("disabled_reason"), TEXT("health"), INSTANT_OR_NULL("failing_since"), INSTANT_OR_NULL("succeeded_at"), \
		INSTANT("secret_changed_at"), INSTANT_OR_NULL("old_secret_until"), INSTANT("created_at"), INSTANT("updated_at")

static const struct shape shape_webhook = {
	.name = "Webhook",
	.attrs = (const struct attr[]){ WEBHOOK_ATTRS, { 0 } },
};

static const struct shape shape_webhook_secret = {
	.name = "WebhookWithSecret",
	.attrs = (const struct attr[]){ WEBHOOK_ATTRS, TEXT_OR_NULL("secret"), { 0 } },
};

static const struct shape shape_event_type = {
	.name = "EventType",
	.attrs = (const struct attr[]){ TEXT("type"), TEXT("noun"), TEXT("action"), { 0 } },
};

#define INT_OR_NULL(n) \
	{ \
		.name = n, .type = ATTR_INT, .nullable = true \
	}
#define DELIVERY_ATTRS \
	ID("id"), ID("webhook_id"), TEXT("type"), INT_OR_NULL("position"), TEXT_OR_NULL("noun"), ID_OR_NULL("row_id"), TEXT("state"), \
		INT("attempts"), INSTANT_OR_NULL("next_at"), INT_OR_NULL("last_status"), TEXT_OR_NULL("last_error"), \
		INT_OR_NULL("took_ms"), ID_OR_NULL("request_id"), INSTANT("at"), INSTANT("created_at"), INSTANT_OR_NULL("finished_at")

static const struct shape shape_delivery = {
	.name = "WebhookDelivery",
	.attrs = (const struct attr[]){ DELIVERY_ATTRS, { 0 } },
};

static const struct shape shape_delivery_whole = {
	.name = "WebhookDeliveryWhole",
	.attrs = (const struct attr[]){ DELIVERY_ATTRS, TEXT_OR_NULL("request"), TEXT_OR_NULL("answer"), { 0 } },
};

static const char *const choices_state[] = { "waiting", "delivered", "failed", "cancelled", NULL };

#define WEBHOOK_FIELDS(required) \
	{ .name = "url", .type = FIELD_TEXT, .flags = required, .max = 2000, .text = "Where to: https, reachable from the Internet." }, \
		{ .name = "description", .type = FIELD_TEXT, .max = 200 }, \
		{ .name = "events", .type = FIELD_TEXTS, .flags = required, .max = 100, .text = "\"*\", \"noun.*\", or event types." }, \
	{ \
		.name = "active", .type = FIELD_BOOL \
	}

static const struct field list_fields[] = { FIELDS_OF_LIST, { 0 } };

static const struct field create_fields[] = { FIELD_OF_ID, WEBHOOK_FIELDS(F_REQUIRED), { 0 } };

static const struct field update_fields[] = { WEBHOOK_FIELDS(F_REQUIRED | F_PATCH), { 0 } };

static const struct field switch_fields[] = {
	{ .name = "active", .type = FIELD_BOOL, .flags = F_REQUIRED },
	{ 0 },
};

static const struct field rotate_fields[] = {
	{ .name = "overlap_s", .type = FIELD_INT, .max = 7 * 86400, .dflt = "86400", .text = "How long the old secret signs too; 0: not at all." },
	{ 0 },
};

static const struct field deliveries_fields[] = {
	{ .name = "state", .type = FIELD_CHOICE, .choices = choices_state },
	{ .name = "type", .type = FIELD_TEXT, .max = 100, .text = "\"time_entry.update\", \"ping\"." },
	FIELDS_OF_LIST,
	{ 0 },
};

static const struct field deliveries_page_fields[] = {
	{ .name = "state", .type = FIELD_CHOICE, .choices = choices_state },
	{ .name = "cursor", .type = FIELD_TEXT, .max = 2000 },
	{ 0 },
};

static void put(struct call *c, const char *name, const char *value)
{
	json_object_object_add(c->in.values, name, json_object_new_string(value));
}

/* What an address leads to is judged again when it is called; here people are told what cannot work. */
static enum err url_check(struct call *c)
{
	const char *url = call_text(c, "url"), *why = NULL;
	const struct conf *conf = c->app->conf;

	if (!url)
		return OK;
	switch (net_url_judge(c->rq->mem, net_allow_parse(c->rq->mem, conf->outgoing_allow, &why), conf->dev, url)) {
	case NET_URL_BAD:
		c->message = _("Write a whole address like https://example.org/hooks/stint, without a user name or anything behind #.");
		return fail(c, ERR_FORMAT, "url");
	case NET_URL_PRIVATE:
		return fail(c, ERR_URL_PRIVATE, "url");
	case NET_URL_INSECURE:
		return fail(c, ERR_URL_INSECURE, "url");
	case NET_URL_GOOD:
		break;
	}
	return OK;
}

/* A form of none ticked sends the list's empty marker: that is nothing chosen, not everything. */
static enum err events_check(struct call *c)
{
	struct json_object *events = NULL;

	if (json_object_object_get_ex(c->in.values, "events", &events) && json_object_array_length(events) == 0) {
		c->message = _("Choose at least one event.");
		return fail(c, ERR_REQUIRED, "events");
	}
	return OK;
}

static void seal_new(struct call *c, const char *id)
{
	put(c, "sealed", webhook_secret_seal(c->rq->mem, c->app->conf->secret_key, id, webhook_secret_new(c->rq->mem)));
}

/* The sealed secret of the answer, opened; a page shows it at once, since it cannot be asked for again. */
static enum err reveal(struct call *c, enum err e)
{
	const char *sealed, *secret;

	if (e)
		return e;
	if (!c->doc)
		return fail(c, ERR_NOT_FOUND, NULL);
	c->document = json_trusted(c->rq->mem, c->doc);
	sealed = json_str(c->document, "secret");
	secret = sealed ? webhook_secret_open(c->rq->mem, c->app->conf->secret_key, json_str(c->document, "id"), sealed) : NULL;
	json_object_object_add(c->document, "secret", secret ? json_object_new_string(secret) : NULL);
	c->doc = json_text(c->rq->mem, c->document);
	if (c->page)
		c->view = "webhooks/secret";
	return OK;
}

static enum err create(struct call *c)
{
	char id[UUID_TEXT];
	enum err e = url_check(c);

	if (!e)
		e = events_check(c);
	if (e)
		return e;
	if (!call_text(c, "id")) {
		uuid_v7(id);
		put(c, "id", id);
	}
	seal_new(c, call_text(c, "id"));
	return reveal(c, call_run(c));
}

static enum err update(struct call *c)
{
	enum err e = url_check(c);

	if (!e)
		e = events_check(c);
	return e ? e : call_run(c);
}

static enum err rotate_secret(struct call *c)
{
	seal_new(c, pairs_get(&c->path, "webhook_id"));
	return reveal(c, call_run(c));
}

const struct route webhooks_routes[] = {
	{
		.name = "webhooks.list",
		.summary = "Endpoints in order of creation",
		.api = "GET /webhooks",
		.page = "GET /settings/webhooks",
		.need = PERM_WEBHOOKS_EDIT,
		.flags = ROUTE_MANY,
		.fields = list_fields,
		.reply = &shape_webhook,
		.view = "webhooks/index",
		.title = N_("Webhooks"),
	},
	{
		.name = "webhooks.event_types",
		.summary = "What there is to hear of",
		.api = "GET /webhooks/event-types",
		.need = PERM_WEBHOOKS_EDIT,
		.flags = ROUTE_MANY,
		.reply = &shape_event_type,
	},
	{
		.name = "webhooks.new",
		.page = "GET /settings/webhooks/new",
		.need = PERM_WEBHOOKS_EDIT,
		.view = "webhooks/new",
		.title = N_("New webhook"),
		.forms = { "webhooks.create" },
	},
	{
		.name = "webhooks.create",
		.summary = "Add an endpoint; the answer alone shows its secret",
		.api = "POST /webhooks",
		.page = "POST /settings/webhooks",
		.need = PERM_WEBHOOKS_EDIT,
		.flags = ROUTE_WRITE | ROUTE_CREATES,
		.fields = create_fields,
		.query = "webhooks_create",
		.reply = &shape_webhook_secret,
		.view = "webhooks/secret",
		.title = N_("Secret of the webhook"),
		.on = "webhooks.new",
		.fn = create,
	},
	{
		.name = "webhooks.get",
		.summary = "One endpoint",
		.api = "GET /webhooks/{webhook_id}",
		.need = PERM_WEBHOOKS_EDIT,
		.reply = &shape_webhook,
	},
	{
		.name = "webhooks.edit",
		.page = "GET /settings/webhooks/{webhook_id}",
		.need = PERM_WEBHOOKS_EDIT,
		.view = "webhooks/edit",
		.title = N_("Webhook"),
		.forms = { "webhooks.update", "webhooks.rotate_secret" },
	},
	{
		.name = "webhooks.update",
		.summary = "Change an endpoint, switch it off or on again",
		.api = "PATCH /webhooks/{webhook_id}",
		.page = "POST /settings/webhooks/{webhook_id}",
		.need = PERM_WEBHOOKS_EDIT,
		.flags = ROUTE_WRITE,
		.fields = update_fields,
		.query = "webhooks_update",
		.reply = &shape_webhook,
		.on = "webhooks.edit",
		.then = "/settings/webhooks/{webhook_id}",
		.done = N_("Webhook saved."),
		.fn = update,
	},
	{
		.name = "webhooks.switch",
		.page = "POST /settings/webhooks/{webhook_id}/switch",
		.need = PERM_WEBHOOKS_EDIT,
		.flags = ROUTE_WRITE,
		.fields = switch_fields,
		.query = "webhooks_update",
		.on = "webhooks.edit",
		.then = "/settings/webhooks/{webhook_id}",
		.done = N_("Webhook saved."),
	},
	{
		.name = "webhooks.delete",
		.summary = "Delete an endpoint",
		.api = "DELETE /webhooks/{webhook_id}",
		.page = "POST /settings/webhooks/{webhook_id}/delete",
		.need = PERM_WEBHOOKS_EDIT,
		.flags = ROUTE_WRITE | ROUTE_DELETES,
		.on = "webhooks.edit",
		.then = "/settings/webhooks",
		.done = N_("Webhook deleted."),
		.undo = "webhooks.restore",
	},
	{
		.name = "webhooks.restore",
		.summary = "Take a deletion back",
		.api = "POST /webhooks/{webhook_id}/restore",
		.page = "POST /settings/webhooks/{webhook_id}/restore",
		.need = PERM_WEBHOOKS_EDIT,
		.flags = ROUTE_WRITE,
		.reply = &shape_webhook,
		.on = "webhooks.list",
		.then = "/settings/webhooks",
		.done = N_("Webhook restored."),
	},
	{
		.name = "webhooks.rotate_secret",
		.summary = "Give an endpoint a new secret; the answer alone shows it",
		.api = "POST /webhooks/{webhook_id}/rotate-secret",
		.page = "POST /settings/webhooks/{webhook_id}/rotate-secret",
		.need = PERM_WEBHOOKS_EDIT,
		.flags = ROUTE_WRITE,
		.fields = rotate_fields,
		.query = "webhooks_rotate_secret",
		.reply = &shape_webhook_secret,
		.view = "webhooks/secret",
		.title = N_("Secret of the webhook"),
		.on = "webhooks.edit",
		.fn = rotate_secret,
	},
	{
		.name = "webhooks.ping",
		.summary = "Send a ping at once",
		.api = "POST /webhooks/{webhook_id}/ping",
		.page = "POST /settings/webhooks/{webhook_id}/ping",
		.need = PERM_WEBHOOKS_EDIT,
		.flags = ROUTE_WRITE,
		.reply = &shape_delivery,
		.on = "webhooks.edit",
		.then = "/settings/webhooks/{webhook_id}/deliveries/{id}",
		.done = N_("A ping is on its way."),
	},
	{
		.name = "webhooks.deliveries",
		.summary = "What was sent to an endpoint, newest first",
		.api = "GET /webhooks/{webhook_id}/deliveries",
		.need = PERM_WEBHOOKS_EDIT,
		.flags = ROUTE_MANY,
		.fields = deliveries_fields,
		.reply = &shape_delivery,
	},
	{
		.name = "webhooks.deliveries_page",
		.page = "GET /settings/webhooks/{webhook_id}/deliveries",
		.need = PERM_WEBHOOKS_EDIT,
		.fields = deliveries_page_fields,
		.view = "webhooks/deliveries",
		.title = N_("Deliveries"),
	},
	{
		.name = "webhooks.delivery",
		.summary = "One delivery, with what went out and the beginning of what came back",
		.api = "GET /webhooks/{webhook_id}/deliveries/{delivery_id}",
		.need = PERM_WEBHOOKS_EDIT,
		.reply = &shape_delivery_whole,
	},
	{
		.name = "webhooks.delivery_page",
		.page = "GET /settings/webhooks/{webhook_id}/deliveries/{delivery_id}",
		.need = PERM_WEBHOOKS_EDIT,
		.view = "webhooks/delivery",
		.title = N_("Delivery"),
		.forms = { "webhooks.replay" },
	},
	{
		.name = "webhooks.replay",
		.summary = "Send a delivery again under the same webhook-id",
		.api = "POST /webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
		.page = "POST /settings/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
		.need = PERM_WEBHOOKS_EDIT,
		.flags = ROUTE_WRITE,
		.reply = &shape_delivery,
		.on = "webhooks.delivery_page",
		.then = "/settings/webhooks/{webhook_id}/deliveries/{delivery_id}",
		.done = N_("It is on its way again."),
	},
	{ 0 },
};
