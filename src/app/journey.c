/*
 * A request's journey: route, gate, fields, database, answer. One way for every route, page and API alike; see
 * docs/architecture.md. What fails on the way is answered in one place, so that no failure can be told differently
 * to different people.
 */
#include <string.h>

#include "app/app.h"
#include "app/call.h"
#include "app/gate.h"
#include "app/page.h"
#include "app/problem.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "view/i18n.h"

static const char csp[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
	"frame-ancestors 'none'; manifest-src 'self'";

static void secure(struct request *rq)
{
	if (!res_header_get(rq, "Content-Security-Policy"))
		res_header(rq, "Content-Security-Policy", csp);
	res_header(rq, "X-Content-Type-Options", "nosniff");
	res_header(rq, "Referrer-Policy", "same-origin");
	res_header(rq, "Cross-Origin-Opener-Policy", "same-origin");
	res_header(rq, "Cross-Origin-Resource-Policy", "same-origin");
	if (rq->tls)
		res_header(rq, "Strict-Transport-Security", "max-age=31536000");
	if (!res_header_get(rq, "Cache-Control"))
		res_header(rq, "Cache-Control", "no-store");
}

static enum err input_read(struct call *c)
{
	struct request *rq = c->rq;
	const struct field *fields = c->route->fields;
	enum err e;

	if (c->face->method == METHOD_GET)
		e = rq->query.count || fields ? fields_from_form(rq, fields, &rq->query, false, &c->in) : OK;
	else if (c->page)
		e = fields_from_form(rq, fields, &c->form, true, &c->in);
	else
		e = fields_from_json(rq, fields, &c->in);
	if (!e && c->face->method != METHOD_GET && !c->page && rq->query.count) {
		input_error(rq, &c->in, rq->query.items[0].name, ERR_UNKNOWN_FIELD, NULL);
		e = ERR_INVALID;
	}
	return e ? fail(c, e, NULL) : OK;
}

static void answer_api(struct call *c)
{
	struct request *rq = c->rq;
	int status = c->status ? c->status : 200;

	if (c->etag)
		res_header(rq, "ETag", mem_printf(rq->mem, "\"%s\"", c->etag));
	if (c->location)
		res_header(rq, "Location", c->location);
	if (c->route->flags & ROUTE_DELETES)
		status = 204;
	if (!c->doc && c->document)
		c->doc = json_text(rq->mem, c->document);
	if (status == 204 || !c->doc)
		res_body(rq, status == 200 ? 204 : status, "application/json; charset=utf-8", "", 0);
	else
		res_body(rq, status, "application/json; charset=utf-8", c->doc, strlen(c->doc));
}

static void answer(struct call *c)
{
	if (c->answered)
		return;
	if (!c->page)
		answer_api(c);
	else if (c->redirect || (c->face->method != METHOD_GET && !c->view))
		page_after(c);
	else
		page_show(c, NULL);
}

/* Shows the page of a POST again, with what was typed. False when that page cannot be made either. */
static bool show_again(struct call *failed)
{
	struct call c = *failed;

	c.face = routes_by_name(c.app->routes, failed->route->on, true);
	if (!c.face)
		return false;
	c.route = c.face->route;
	c.in = (struct input){ 0 };
	c.doc = NULL;
	c.document = NULL;
	c.if_match = NULL;
	c.status = 0;
	c.extra = NULL;
	fields_defaults(c.rq, c.route->fields, &c.in);
	if (c.face->query || c.route->need != PERM_PUBLIC) {
		if (c.route->fn ? c.route->fn(&c) : call_run(&c))
			return false;
	}
	page_show(&c, failed);
	return true;
}

static void to_sign_in(struct call *c)
{
	struct buf path;

	if (c->by_cookie)
		res_cookie(c->rq, SESSION_COOKIE, "", -1);
	buf_init(&path, c->rq->mem);
	buf_puts(&path, "/login");
	if (c->face->method == METHOD_GET && !str_eq(c->rq->path, "/")) {
		buf_puts(&path, "?next=");
		buf_url(&path, c->rq->path, strlen(c->rq->path));
	}
	page_redirect(c, path.data);
}

static void refuse(struct call *c)
{
	int status = err_info(c->err)->status;

	c->rq->error = err_info(c->err)->code;
	if (!c->page)
		problem_answer(c);
	else if (c->err == ERR_UNAUTHENTICATED && c->route)
		to_sign_in(c);
	else if (!c->route || !c->route->on || status == 404 || status >= 500 ||
		c->err == ERR_CSRF || !show_again(c))
		page_error(c);
}

static enum err journey(struct call *c)
{
	enum err e = gate_pass(c);

	if (!e)
		e = input_read(c);
	if (!e)
		e = c->route->fn ? c->route->fn(c) : c->face->query || c->route->need != PERM_PUBLIC ? call_run(c)
												     : OK;
	return e;
}

static enum err no_route(struct call *c, const char *allow)
{
	if (!allow)
		return fail(c, ERR_NOT_FOUND, NULL);
	res_header(c->rq, "Allow", allow);
	return fail(c, ERR_METHOD, NULL);
}

void app_handle(struct worker *w, struct request *rq)
{
	struct call c = { .worker = w, .app = w->app, .rq = rq };
	const char *allow = NULL;

	i18n_use("en");
	c.page = !str_starts(rq->path, "/api/");
	c.face = routes_find(w->app->routes, rq->mem, rq->method, rq->path, &c.path, &allow);
	c.by_cookie = request_cookie(rq, SESSION_COOKIE) != NULL;
	if (c.face) {
		c.route = c.face->route;
		rq->route = c.route->name;
	}
	if (c.face ? journey(&c) : no_route(&c, allow))
		refuse(&c);
	else
		answer(&c);
	secure(rq);
}
