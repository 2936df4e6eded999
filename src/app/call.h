#ifndef STINT_APP_CALL_H
#define STINT_APP_CALL_H
/*
 * One call of a route: what came in, who asks, and the answer being made. Handlers (.fn) of real flows
 * work on this with the functions below and return OK or fail(); everybody else is served by the journey alone.
 */
#include <stdbool.h>
#include "app/app.h"
#include "app/routes.h"

struct call {
	struct worker *worker;
	struct app *app;
	struct request *rq;
	const struct face *face;
	const struct route *route;
	bool page;         /* a person's browser, not a program */
	struct pairs path; /* path parameters */
	struct pairs form; /* a page's form as sent */
	struct input in;

	const char *token;      /* what the caller sent, or NULL */
	const char *credential; /* its hash, as bytea text */
	bool by_cookie;
	const char *csrf;     /* what forms of this session carry */
	const char *if_match; /* version, or NULL */

	/* From entering: */
	struct json_object *frame;
	const char *zone, *language;

	/* The answer: */
	const char *doc;              /* JSON text */
	struct json_object *document; /* the same, parsed, for pages and handlers that make it in C */
	int status;                   /* 0: what the route implies */
	const char *etag, *location;
	const char *redirect; /* a page's own way on */
	const char *view;     /* another template than the route's */
	bool answered;        /* rq->res is complete */

	/* Why it failed: */
	enum err err;
	const char *field;
	const char *message; /* instead of the error's own words */
	const char *extra;   /* JSON object shown to programs */
};

#define SESSION_COOKIE "__Host-stint"

/* Notes why and returns e: `return fail(c, ERR_LINK_EXPIRED, "token");` field may be NULL. */
enum err fail(struct call *c, enum err e, const char *field);

/* Validated input as text; NULL when it was not sent or is null. Borrowed. */
const char *call_text(struct call *c, const char *field);

/* Runs one named query outside any tenant (sign-in flows): parameters come from extra, then as for every
 * route's query. On OK *rows gets the result. */
enum err call_query(struct call *c, const char *name, const struct pair *extra, size_t n,
	struct db_result **rows);

/* The value of a query's parameter: path, input, or the ones that are always there. NULL is SQL NULL. */
const char *call_param(struct call *c, const char *name);

/* app.enter and the route's query in one round trip; fills frame, doc, status … of c. */
enum err call_run(struct call *c);

#endif
