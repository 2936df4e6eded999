/* Idempotent repeats of writing POSTs; see idempotency.h. Programs alone use it: pages make the id of what they create. */
#include "app/idempotency.h"

#include <string.h>

#include "view/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"

#define KEY_MAX 200

static const char *key_of(const struct call *c)
{
	return request_header(c->rq, "Idempotency-Key");
}

bool idempotency_wanted(const struct call *c)
{
	return !c->page && c->face->method == METHOD_POST && (c->route->flags & ROUTE_WRITE) &&
		(!c->route->fn || c->face->query) && key_of(c);
}

enum err idempotency_check(struct call *c)
{
	const char *key = key_of(c);

	if (!idempotency_wanted(c) || (*key && strlen(key) <= KEY_MAX))
		return OK;
	c->message = mem_printf(c->rq->mem, _("Idempotency-Key takes 1 to %d characters."), KEY_MAX);
	return fail(c, ERR_MALFORMED, NULL);
}

/* The route as asked for, with its ids, and the body: what must be the same for a repeat. */
static const char *body_hash(struct call *c)
{
	void *mem = c->rq->mem;
	char *body = mem_strndup(mem, c->rq->body ? c->rq->body : "", c->rq->body_len);

	return token_hash(mem, mem_printf(mem, "%s\n%s", c->rq->path, body));
}

static struct db_stmt stmt(struct call *c, const char *name, const struct pair *given, size_t n)
{
	const struct query *query = query_find(name);
	const struct pairs pairs = { .items = (struct pair *)(uintptr_t)given, .count = n };
	const char **values = mem_array(c->rq->mem, const char *, (size_t)query->nparams + 1);

	for (int i = 0; i < query->nparams; i++)
		values[i] = pairs_get(&pairs, query->params[i]);
	return (struct db_stmt){ .query = query, .values = values };
}

struct db_stmt idempotency_begin(struct call *c)
{
	const struct pair given[] = {
		{ "key", key_of(c) },
		{ "route", c->route->name },
		{ "body_hash", body_hash(c) },
	};

	return stmt(c, "idempotency_begin", given, 3);
}

/* Only an answer worth repeating is stored: when the work found nothing the key goes too. */
struct db_stmt idempotency_store(void *call, void *mem, struct db_result **results)
{
	struct call *c = call;
	const struct db_result *work = results[2];
	const char *status = db_text(work, 0, "status");
	bool none = db_rows(work) == 0;
	const struct pair given[] = {
		{ "key", key_of(c) },
		{ "route", c->route->name },
		{ "status", none ? NULL : status ? status
						 : "200" },
		{ "doc", db_text(work, 0, "doc") },
		{ "etag", db_text(work, 0, "etag") },
		{ "location", db_text(work, 0, "location") },
	};

	(void)mem;
	return stmt(c, "idempotency_store", given, 6);
}

enum err idempotency_replay(struct call *c, const char *stored)
{
	struct json_object *answer = json_trusted(c->rq->mem, stored ? stored : "{}");
	struct json_object *status = NULL, *doc = NULL;

	if (json_object_object_get_ex(answer, "status", &status))
		c->status = json_object_get_int(status);
	if (json_object_object_get_ex(answer, "doc", &doc) && doc)
		c->doc = json_text(c->rq->mem, doc);
	c->etag = json_str(answer, "etag");
	c->location = json_str(answer, "location");
	res_header(c->rq, "Idempotency-Replayed", "true");
	return OK;
}
