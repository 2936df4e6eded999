/*
 * From a struct response to the head of a CGI answer. One place, so that no answer can lack what all of them have.
 */
#include "http/answer.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const char *reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" },
		{ 428, "Precondition Required" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Status";
}

static void member(struct buf *b, const char *name, const char *value)
{
	buf_putc(b, b->len ? ',' : '{');
	buf_json_str(b, name, strlen(name));
	buf_putc(b, ':');
	buf_json_str(b, value, strlen(value));
}

/* A refusal made down here has nobody above it who would add these. */
static void secure(struct request *rq)
{
	res_header(rq, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
	res_header(rq, "X-Content-Type-Options", "nosniff");
	res_header(rq, "Referrer-Policy", "same-origin");
	res_header(rq, "Cross-Origin-Opener-Policy", "same-origin");
	res_header(rq, "Cross-Origin-Resource-Policy", "same-origin");
	if (rq->tls)
		res_header(rq, "Strict-Transport-Security", "max-age=31536000");
	res_header(rq, "Cache-Control", "no-store");
}

void answer_problem(struct request *rq, enum err e)
{
	const struct err_info *info = err_info(e);
	struct buf b;

	buf_init(&b, rq->mem);
	member(&b, "type", mem_printf(rq->mem, "urn:stint:error:%s", info->code));
	member(&b, "title", info->title);
	buf_printf(&b, ",\"status\":%d", info->status);
	member(&b, "code", info->code);
	member(&b, "detail", info->detail);
	member(&b, "request_id", rq->id);
	buf_putc(&b, '}');
	rq->error = info->code;
	rq->res.headers.count = 0;
	secure(rq);
	res_body(rq, info->status, "application/problem+json", b.data, b.len);
}

static void line(struct buf *head, const char *name, const char *value)
{
	buf_puts(head, name);
	buf_add(head, ": ", 2);
	buf_puts(head, value);
	buf_add(head, "\r\n", 2);
}

void answer_head(struct request *rq, struct buf *head, bool *with_body)
{
	const struct response *res = &rq->res;
	bool bodyless = res->status == 204 || res->status == 304 || res->status < 200;

	buf_printf(head, "Status: %d %s\r\n", res->status, reason(res->status));
	for (size_t i = 0; i < res->headers.count; i++) {
		const struct pair *h = &res->headers.items[i];

		/* Said once, below. */
		if (!str_eq_nocase(h->name, "Content-Length") && !str_eq_nocase(h->name, "X-Request-Id"))
			line(head, h->name, h->value);
	}
	line(head, "X-Request-Id", rq->id);
	if (!res_header_get(rq, "Cache-Control"))
		line(head, "Cache-Control", "no-store");
	if (!bodyless)
		buf_printf(head, "Content-Length: %zu\r\n", res->body.len);
	buf_add(head, "\r\n", 2);
	*with_body = !bodyless && rq->method != METHOD_HEAD;
}
