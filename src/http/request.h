#ifndef STINT_HTTP_REQUEST_H
#define STINT_HTTP_REQUEST_H
/*
 * One request and the answer being built for it. All text here is valid UTF-8 without NUL: what is
 * not was refused before a handler saw it. Everything lives below rq->mem and goes after the answer.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"

enum method { METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OPTIONS,
	METHOD_OTHER };

struct pair {
	const char *name, *value;
};

struct pairs {
	struct pair *items;
	size_t count;
};

struct response {
	int status;
	struct pairs headers;
	struct buf body;
};

struct request {
	void *mem;
	const char *id; /* X-Request-Id: from nginx ($request_id) when well-formed, else made here */
	enum method method;
	const char *method_text;
	const char *path;      /* decoded, begins with '/', no '//' , no dot segments */
	const char *raw_query; /* as sent, may be "" */
	struct pairs query;    /* decoded, in order, repeats kept */
	const char *host;
	const char *remote_addr;
	bool tls;
	const char *content_type; /* media type alone, lower case; "" when absent */
	const char *body;
	size_t body_len;
	struct pairs params; /* raw FastCGI parameters HTTP_* and others */
	int64_t started_us;  /* clock_monotonic_us at accept */
	struct response res;
	/* for the log line; set by the layers above */
	const char *route; /* name, or "-" */
	const char *organization_id, *member_id;
	const char *error; /* code */
};

/* The value of the first pair with exactly this name; NULL when there is none. Borrowed. */
const char *pairs_get(const struct pairs *pairs, const char *name);
/* Header by its HTTP name ("If-Match"); NULL when absent. One sent several times is joined by ", ". Borrowed. */
const char *request_header(const struct request *rq, const char *name);
/* Cookie by exact name; NULL when absent, or sent twice. Borrowed. */
const char *request_cookie(struct request *rq, const char *name);
/* application/x-www-form-urlencoded: decoded pairs in order. OK, ERR_ENCODING or ERR_TOO_LARGE (over 512 pairs). */
enum err form_parse(void *mem, const char *text, size_t len, struct pairs *out);

void res_header(struct request *rq, const char *name, const char *value); /* replaces; Set-Cookie adds. CR, LF refused by abort */
const char *res_header_get(const struct request *rq, const char *name);
/* HttpOnly; Secure; SameSite=Lax; Path=/. max_age_s 0: until the browser closes; negative: delete. */
void res_cookie(struct request *rq, const char *name, const char *value, int64_t max_age_s);
/* Sets status, Content-Type (unless type is NULL) and body (copied). */
void res_body(struct request *rq, int status, const char *type, const char *body, size_t len);

#endif
