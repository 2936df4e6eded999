/*
 * The way of a call through the database: app.enter and the route's query, in one round trip and one
 * implicit transaction. Parameters are bound by name, so a query says what it needs and nothing has to
 * be kept in step. This file knows nothing of how the answer is shown.
 */
#include "app/call.h"

#include <string.h>

#include "app/idempotency.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { ENTER_WRITES = 1,
	ENTER_FRAME = 2 };

enum err fail(struct call *c, enum err e, const char *field)
{
	c->err = e;
	c->field = field;
	return e;
}

const char *call_text(struct call *c, const char *field)
{
	struct json_object *value = NULL;

	if (!c->in.values || !json_object_object_get_ex(c->in.values, field, &value) || !value)
		return NULL;
	return json_object_get_string(value);
}

const char *call_param(struct call *c, const char *name)
{
	const char *value = pairs_get(&c->path, name);

	if (value)
		return value;
	if (str_eq(name, "input"))
		return c->in.values ? json_text(c->rq->mem, c->in.values) : "{}";
	if (str_eq(name, "if_match"))
		return c->if_match;
	if (str_eq(name, "credential"))
		return c->credential;
	return call_text(c, name);
}

static struct db_stmt call_bind(struct call *c, const struct query *query,
	const struct pair *extra, size_t n)
{
	const struct pairs given = { .items = (struct pair *)(uintptr_t)extra, .count = n };
	const char **values = mem_array(c->rq->mem, const char *, (size_t)query->nparams + 1);

	for (int i = 0; i < query->nparams; i++) {
		bool here = false;

		for (size_t k = 0; k < given.count && !here; k++)
			here = str_eq(given.items[k].name, query->params[i]);
		values[i] = here ? pairs_get(&given, query->params[i]) : call_param(c, query->params[i]);
	}
	return (struct db_stmt){ .query = query, .values = values };
}

static enum err call_failed(struct call *c, const struct db_fail *f)
{
	c->extra = f->extra;
	return fail(c, f->err, f->field);
}

enum err call_query(struct call *c, const char *name, const struct pair *extra, size_t n,
	struct db_result **rows)
{
	struct db_stmt stmt = call_bind(c, query_find(name), extra, n);
	struct db_fail f = { 0 };

	if (db_run(c->worker->db, c->rq->mem, &stmt, 1, false, rows, &f))
		return call_failed(c, &f);
	return OK;
}

static struct db_stmt enter_bind(struct call *c)
{
	int flags = (c->route->flags & ROUTE_WRITE ? ENTER_WRITES : 0) |
		(c->page && c->route->view ? ENTER_FRAME : 0);
	const struct pair given[] = {
		{ "need", mem_printf(c->rq->mem, "%d", (int)c->route->need) },
		{ "flags", mem_printf(c->rq->mem, "%d", flags) },
	};

	return call_bind(c, c->app->enter, given, 2);
}

static void entered(struct call *c, const struct db_result *r)
{
	const char *frame = db_text(r, 0, "frame");

	c->rq->organization_id = db_text(r, 0, "organization_id");
	c->rq->member_id = db_text(r, 0, "member_id");
	c->zone = db_text(r, 0, "zone");
	c->language = db_text(r, 0, "language");
	if (frame)
		c->frame = json_trusted(c->rq->mem, frame);
}

static enum err take_document(struct call *c, const struct db_result *r)
{
	const char *status;

	if (db_rows(r) == 0) {
		if (!(c->route->flags & ROUTE_OPTIONAL))
			return fail(c, ERR_NOT_FOUND, NULL);
		c->status = 204;
		return OK;
	}
	c->doc = db_text(r, 0, "doc");
	c->etag = db_text(r, 0, "etag");
	c->location = db_text(r, 0, "location");
	status = db_text(r, 0, "status");
	if (status) {
		int64_t n;

		if (str_to_int(status, 100, 599, &n))
			c->status = (int)n;
	}
	return OK;
}

static enum err run_public(struct call *c)
{
	struct db_stmt stmt = call_bind(c, c->face->query, NULL, 0);
	struct db_result *rows;
	struct db_fail f = { 0 };

	if (db_run(c->worker->db, c->rq->mem, &stmt, 1, !(c->route->flags & ROUTE_WRITE), &rows,
		    &f))
		return call_failed(c, &f);
	return take_document(c, rows);
}

enum err call_run(struct call *c)
{
	struct db_stmt stmts[3];
	struct db_result *results[4] = { 0 };
	struct db_fail f = { 0 };
	int n = 0;
	enum err e;

	if (c->route->need == PERM_PUBLIC)
		return run_public(c);
	if (!c->credential)
		return fail(c, ERR_UNAUTHENTICATED, NULL);
	stmts[n++] = enter_bind(c);
	if (idempotency_wanted(c))
		stmts[n++] = idempotency_begin(c);
	if (c->face->query)
		stmts[n++] = call_bind(c, c->face->query, NULL, 0);
	if (idempotency_wanted(c))
		e = db_run_then(c->worker->db, c->rq->mem, stmts, n, idempotency_store, c, results,
			&f);
	else
		e = db_run(c->worker->db, c->rq->mem, stmts, n, !(c->route->flags & ROUTE_WRITE),
			results, &f);
	if (e == ERR_IDEMPOTENCY_REPLAY)
		return idempotency_replay(c, f.extra);
	if (e)
		return call_failed(c, &f);
	entered(c, results[0]);
	return c->face->query ? take_document(c, results[n - 1]) : OK;
}
