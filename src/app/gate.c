/* See gate.h. The order matters: cheap before dear, and nobody learns more than they may know. */
#include "app/gate.h"

#include <string.h>

#include "app/idempotency.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "view/i18n.h"

static bool is_writing(const struct call *c)
{
	return c->face->method != METHOD_GET;
}

/* A bearer token wins over the cookie: a program that sends one means it. */
static void gate_identify(struct call *c)
{
	const char *header = request_header(c->rq, "Authorization");

	if (header && !c->page) {
		if (str_starts(header, "Bearer ") && strlen(header) < 200)
			c->token = header + strlen("Bearer ");
		else
			c->token = "";
	} else {
		c->token = request_cookie(c->rq, SESSION_COOKIE);
		c->by_cookie = c->token != NULL;
	}
	if (c->token && *c->token && strlen(c->token) < 200)
		c->credential = token_hash(c->rq->mem, c->token);
	else
		c->token = NULL;
	if (c->by_cookie)
		c->csrf = gate_csrf(c);
}

const char *gate_csrf(struct call *c)
{
	return c->token ? mac(c->rq->mem, c->app->conf->secret_key, "csrf", c->token) : "";
}

static enum err gate_rate(struct call *c)
{
	const char *key = c->credential ? c->credential : c->rq->remote_addr;
	struct limit_state s;

	if (c->page || !c->app->conf->rate_per_minute)
		return OK;
	s = limits_take(c->app->limits, key, strlen(key));
	res_header(c->rq, "RateLimit-Limit", mem_printf(c->rq->mem, "%lld", (long long)s.limit));
	res_header(c->rq, "RateLimit-Remaining",
		mem_printf(c->rq->mem, "%lld", (long long)s.remaining));
	res_header(c->rq, "RateLimit-Reset", mem_printf(c->rq->mem, "%lld", (long long)s.reset_s));
	if (!s.refused)
		return OK;
	res_header(c->rq, "Retry-After",
		mem_printf(c->rq->mem, "%lld", (long long)(s.reset_s > 0 ? s.reset_s : 1)));
	return fail(c, ERR_RATE_LIMIT, NULL);
}

/* Sec-Fetch-Site where the browser sends it, else Origin against the host that was asked. */
static bool is_from_here(const struct call *c)
{
	const char *site = request_header(c->rq, "Sec-Fetch-Site");
	const char *origin = request_header(c->rq, "Origin");
	const char *host;

	if (site)
		return str_eq(site, "same-origin") || str_eq(site, "none");
	if (!origin)
		return true;
	host = strstr(origin, "://");
	return host && c->rq->host && str_eq_nocase(host + 3, c->rq->host);
}

/* Every change that rides on a cookie needs the session's token; sign-in forms have none yet and must come from here. */
static enum err gate_csrf_check(struct call *c)
{
	const char *sent;

	if (!is_writing(c) || (!c->page && !c->by_cookie))
		return OK;
	if (!is_from_here(c))
		return fail(c, ERR_CSRF, NULL);
	if (c->route->need == PERM_PUBLIC || !c->by_cookie)
		return OK;
	sent = request_header(c->rq, "X-CSRF-Token");
	if (!sent && c->page)
		sent = pairs_get(&c->form, "csrf");
	return sent && text_equal(sent, c->csrf) ? OK : fail(c, ERR_CSRF, NULL);
}

static enum err gate_content(struct call *c)
{
	const char *type = c->rq->content_type ? c->rq->content_type : "";

	if (!is_writing(c))
		return OK;
	if (!c->page) {
		if (c->rq->body_len && !str_eq(type, "application/json"))
			return fail(c, ERR_MEDIA_TYPE, NULL);
		return OK;
	}
	if (c->rq->body_len && !str_eq(type, "application/x-www-form-urlencoded")) {
		c->message = _("Send application/x-www-form-urlencoded, as the form does.");
		return fail(c, ERR_MEDIA_TYPE, NULL);
	}
	enum err e = form_parse(c->rq->mem, c->rq->body ? c->rq->body : "", c->rq->body_len,
		&c->form);

	return e ? fail(c, e, NULL) : OK;
}

/* If-Match takes the version as ETag gave it, or * for any. A form carries it as a field. */
static enum err gate_version(struct call *c)
{
	const char *sent = c->page ? pairs_get(&c->form, "version") : request_header(c->rq, "If-Match");
	size_t len = sent ? strlen(sent) : 0;
	int64_t n;

	if (!sent || !*sent || str_eq(sent, "*"))
		return OK;
	if (len > 2 && sent[0] == '"' && sent[len - 1] == '"')
		sent = mem_strndup(c->rq->mem, sent + 1, len - 2);
	if (!str_to_int(sent, 1, INT64_MAX, &n))
		return fail(c, ERR_VERSION, NULL);
	c->if_match = sent;
	return OK;
}

enum err gate_pass(struct call *c)
{
	enum err (*const checks[])(struct call *) = {
		gate_rate,
		gate_content,
		gate_csrf_check,
		gate_version,
		idempotency_check,
	};

	gate_identify(c);
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		enum err e = checks[i](c);

		if (e)
			return e;
	}
	if (c->route->need != PERM_PUBLIC && !c->credential)
		return fail(c, ERR_UNAUTHENTICATED, NULL);
	return OK;
}
