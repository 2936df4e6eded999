/* What operators and programs ask of the system itself: health, metrics, the OpenAPI document, and the development mailbox. */
#include "features/features.h"

#include <string.h>

#include "app/call.h"
#include "app/mail_box.h"
#include "app/openapi.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "features/common.h"
#include "features/system_jobs.h"
#include "http/metrics.h"

static enum err answer_text(struct call *c, int status, const char *type, const char *text)
{
	res_body(c->rq, status, type, text, strlen(text));
	c->answered = true;
	return OK;
}

static enum err healthz(struct call *c)
{
	return answer_text(c, 200, "text/plain; charset=utf-8", "ok\n");
}

/* Somebody to do background work was heard of in the last minute. */
static bool has_workers(struct call *c)
{
	const struct db_stmt stmt = db_bind(c->rq->mem, "system_workers", (const char *const[]){ NULL });
	struct db_result *rows = NULL;

	return db_run(c->worker->db, c->rq->mem, &stmt, 1, true, &rows, NULL) == OK && str_eq(db_text(rows, 0, "alive"), "t");
}

/* The database is needed, Redis and workers are not: without Redis sign-in throttles count in memory, and what is to be done in
 * the background waits in the database. */
static enum err readyz(struct call *c)
{
	bool db = db_ping(c->worker->db), redis = redis_ping(c->worker->redis), worker = db && has_workers(c);
	const char *text = mem_printf(c->rq->mem,
		"{\"status\":\"%s\",\"database\":\"%s\",\"redis\":\"%s\",\"worker\":\"%s\"}\n",
		!db ? "down" : redis && worker ? "ready"
					       : "degraded",
		db ? "up" : "down", redis ? "up" : "down", worker ? "up" : db ? "down"
									      : "unknown");

	if (!db)
		res_header(c->rq, "Retry-After", "2");
	return answer_text(c, db ? 200 : 503, "application/json; charset=utf-8", text);
}

/* This program's own counters are always told; what the database knows of background work, when it can be asked. */
static enum err metrics(struct call *c)
{
	struct buf out;

	buf_init(&out, c->rq->mem);
	metrics_write(&out);
	system_jobs_write(c, &out);
	return answer_text(c, 200, "text/plain; version=0.0.4; charset=utf-8", out.data);
}

static enum err openapi(struct call *c)
{
	c->document = openapi_document(c->rq->mem, c->app->routes);
	return OK;
}

/* Who reads this mail can take any account over, so it exists in the development stack alone. */
static enum err mailbox(struct call *c)
{
	enum err e = ERR_NOT_FOUND;

	if (c->app->conf->dev)
		e = mail_box(c->app, c->rq->mem, pairs_get(&c->path, "mail_id"), &c->document);
	return e ? fail(c, e, NULL) : OK;
}

/*
 * The letter as a mail client gets it: it brings styles of its own, so it stands on a page of its own, where nothing else may
 * run, load or be asked, and which is not of our origin.
 */
static enum err mail_page(struct call *c)
{
	static const char policy[] = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
				     "frame-ancestors 'none'; sandbox";
	const char *html = NULL;
	enum err e = ERR_NOT_FOUND;

	if (c->app->conf->dev)
		e = mail_box_html(c->app, c->rq->mem, pairs_get(&c->path, "mail_id"), &html);
	if (e)
		return fail(c, e, NULL);
	res_header(c->rq, "Content-Security-Policy", policy);
	return answer_text(c, 200, "text/html; charset=utf-8", html);
}

const struct route system_routes[] = {
	{ .name = "system.healthz", .page = "GET /healthz", .need = PERM_PUBLIC, .fn = healthz },
	{ .name = "system.readyz", .page = "GET /readyz", .need = PERM_PUBLIC, .fn = readyz },
	{ .name = "system.metrics", .page = "GET /metrics", .need = PERM_PUBLIC, .fn = metrics },
	{
		.name = "system.openapi",
		.summary = "This document",
		.api = "GET /openapi.json",
		.need = PERM_PUBLIC,
		.flags = ROUTE_HIDDEN,
		.fn = openapi,
	},
	{
		.name = "system.mails",
		.page = "GET /dev/mail",
		.need = PERM_PUBLIC,
		.view = "dev/mail",
		.title = N_("Mail"),
		.fn = mailbox,
	},
	{
		.name = "system.mail",
		.page = "GET /dev/mail/{mail_id}",
		.need = PERM_PUBLIC,
		.view = "dev/mail",
		.title = N_("Mail"),
		.fn = mailbox,
	},
	{ .name = "system.mail_page", .page = "GET /dev/mail/{mail_id}/html", .need = PERM_PUBLIC, .fn = mail_page },
	{ 0 },
};
