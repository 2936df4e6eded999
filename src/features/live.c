/*
 * Live updates: a ticket for stint-live, which knows no sessions and no database. What the socket may hear is put under the
 * ticket's hash in Redis, for half a minute and one use; frames say what changed, and its values are fetched by the
 * ordinary, guarded routes. Without Redis there are no live updates, and pages ask now and then instead.
 */
#include "features/features.h"

#include <string.h>

#include "app/call.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "features/common.h"

#define TICKET_S 30
#define AWAY_S "5"
#define HEX_MARK 2 /* "\x" before a hash */

static const struct shape shape_ticket = {
	.name = "LiveTicket",
	.attrs = (const struct attr[]){ TEXT("ticket"), TEXT("url"), SECONDS("expires_in"), INT("position"), { 0 } },
};

/* http://host and https://host, as WebSockets write them. */
static const char *live_url(struct call *c)
{
	const char *url = c->app->conf->public_url, *rest = strstr(url, "://");
	size_t len = strlen(rest ? rest : "");

	while (len && rest[len - 1] == '/')
		len--;
	return mem_printf(c->rq->mem, "%s%.*s/live", str_starts(url, "https:") ? "wss" : "ws", (int)len, rest ? rest : "");
}

static enum err ticket(struct call *c)
{
	enum err e = call_run(c);
	struct json_object *known, *position = NULL, *doc;
	const char *value;

	if (e)
		return e;
	known = json_trusted(c->rq->mem, c->doc);
	value = token_new(c->rq->mem, "");
	if (!redis_set(c->worker->redis, mem_printf(c->rq->mem, "live:ticket:%s", token_hash(c->rq->mem, value) + HEX_MARK), c->doc,
		    TICKET_S)) {
		res_header(c->rq, "Retry-After", AWAY_S);
		return fail(c, ERR_LIVE_AWAY, NULL);
	}
	json_object_object_get_ex(known, "position", &position);
	doc = json_own(c->rq->mem, json_object_new_object());
	json_object_object_add(doc, "ticket", json_object_new_string(value));
	json_object_object_add(doc, "url", json_object_new_string(live_url(c)));
	json_object_object_add(doc, "expires_in", json_object_new_int(TICKET_S));
	json_object_object_add(doc, "position", json_object_get(position));
	c->doc = NULL;
	c->document = doc;
	return OK;
}

static const struct field ticket_fields[] = {
	{ .name = "own", .type = FIELD_BOOL, .text = "Hear of one's own time alone, also with time_view_all." },
	{ 0 },
};

const struct route live_routes[] = {
	{
		.name = "live.ticket",
		.summary = "A ticket for the WebSocket at /live: works once, within half a minute",
		.api = "POST /live/ticket",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_READS,
		.fields = ticket_fields,
		.query = "live_ticket",
		.reply = &shape_ticket,
		.fn = ticket,
	},
	{ 0 },
};
