/*
 * The answer while it is built.
 *
 * A header with CR or LF in it would be two headers: whoever makes one has a bug that an attacker can steer,
 * so the worker ends there and then. Nothing is sent from here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/request.h"

static void check_header(const char *name, const char *value)
{
	if (*name && !name[strcspn(name, "\r\n: ")] && !value[strcspn(value, "\r\n")])
		return;
	log_error("a header with a line break or a bad name was about to be sent", "header", name, NULL);
	abort();
}

static void add_header(struct request *rq, const char *name, const char *value)
{
	struct pairs *h = &rq->res.headers;

	/* Grows at every power of two. */
	if ((h->count & (h->count - 1)) == 0)
		h->items = mem_grow(rq->mem, h->items, struct pair, h->count ? h->count * 2 : 1);
	h->items[h->count++] = (struct pair){ .name = mem_strdup(rq->mem, name), .value = mem_strdup(rq->mem, value) };
}

void res_header(struct request *rq, const char *name, const char *value)
{
	struct pairs *h = &rq->res.headers;

	check_header(name, value);
	if (!str_eq_nocase(name, "Set-Cookie")) {
		for (size_t i = 0; i < h->count; i++) {
			if (!str_eq_nocase(h->items[i].name, name))
				continue;
			h->items[i].value = mem_strdup(rq->mem, value);
			return;
		}
	}
	add_header(rq, name, value);
}

const char *res_header_get(const struct request *rq, const char *name)
{
	const struct pairs *h = &rq->res.headers;

	for (size_t i = 0; i < h->count; i++)
		if (str_eq_nocase(h->items[i].name, name))
			return h->items[i].value;
	return NULL;
}

/* RFC 6265 cookie-octets: what needs quoting has no business in a cookie of ours. */
static bool cookie_is_plain(const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("\",;\\", *p))
			return false;
	return true;
}

void res_cookie(struct request *rq, const char *name, const char *value, int64_t max_age_s)
{
	const char *age = "";

	if (!cookie_is_plain(value) || !cookie_is_plain(name)) {
		log_error("a cookie with characters that cookies cannot hold was about to be sent", "cookie", name, NULL);
		abort();
	}
	if (max_age_s > 0)
		age = mem_printf(rq->mem, "; Max-Age=%lld", (long long)max_age_s);
	else if (max_age_s < 0)
		age = "; Max-Age=0";
	res_header(rq, "Set-Cookie",
		mem_printf(rq->mem, "%s=%s; Path=/%s; HttpOnly; Secure; SameSite=Lax", name, value, age));
}

void res_body(struct request *rq, int status, const char *type, const char *body, size_t len)
{
	rq->res.status = status;
	if (type)
		res_header(rq, "Content-Type", type);
	buf_reset(&rq->res.body);
	buf_add(&rq->res.body, body, len);
}
