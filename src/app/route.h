#ifndef STINT_APP_ROUTE_H
#define STINT_APP_ROUTE_H
/*
 * A route is a declaration. The generic journey (journey.c) does the rest: gate, fields, app.enter + query in one
 * round trip, and the answer: the document as it is for programs, through a template for people. From the same
 * structs come the OpenAPI document, the permission matrix, nginx's map of pools, and the tests that walk over all of them.
 */
#include <stdbool.h>
#include "app/fields.h"
#include "http/request.h"

enum permission {
	PERM_PUBLIC = -2,    /* no sign-in looked at */
	PERM_SIGNED_IN = -1, /* any member */
#define PERMISSION(name, code, owner, manager, member, text) PERM_##name,
#include "app/permissions.def"
#undef PERMISSION
	PERM_COUNT
};

/* What a reply looks like; the OpenAPI schemas are made of these, and tests hold every reply against them. */
enum attr_type { ATTR_ID,
	ATTR_TEXT,
	ATTR_INT,
	ATTR_BOOL,
	ATTR_INSTANT,
	ATTR_DATE,
	ATTR_SECONDS,
	ATTR_IDS,
	ATTR_TEXTS,
	ATTR_OBJECT,
	ATTR_LIST,
	ATTR_ANY };
struct attr {
	const char *name;
	enum attr_type type;
	bool nullable;
	bool optional;          /* may be left out */
	const struct shape *of; /* ATTR_OBJECT, ATTR_LIST */
};
struct shape {
	const char *name;         /* "TimeEntry" */
	const struct attr *attrs; /* ends with name NULL */
};

enum route_flags {
	ROUTE_WRITE = 1,     /* changes something; else the transaction is read-only */
	ROUTE_AUTH_POOL = 2, /* hashes passwords: served by the auth pool */
	ROUTE_MANY = 4,      /* the document is {data: [reply], next_cursor} */
	ROUTE_CREATES = 8,   /* 201 + Location */
	ROUTE_DELETES = 16,  /* 204 */
	ROUTE_OPTIONAL = 32, /* no row is 204 and not 404 (GET /timer) */
	ROUTE_NO_FRAME = 64, /* the page needs no person (sign-in pages) */
	ROUTE_ZONES = 128,   /* the page's document gets "zones" */
	ROUTE_HIDDEN = 256,  /* not in the OpenAPI document */
	ROUTE_STATIC = 512,  /* a page without a query */
	ROUTE_READS = 1024,  /* a POST that changes nothing */
	ROUTE_SENDS = 2048,  /* 202: what it does arrives by mail */
};

struct call;
struct route {
	const char *name;    /* "tags.update" = query tags_update = operationId */
	const char *summary; /* for the OpenAPI document */
	const char *api;     /* "PATCH /tags/{tag_id}", below /api/v1; NULL: no API */
	const char *page;    /* "POST /tags/{tag_id}"; NULL: no page */
	enum permission need;
	unsigned flags;
	const struct field *fields; /* body of a write, query string of a read; NULL: none */
	const char *query;          /* NULL: name with '_' for '.' unless .fn */
	const struct shape *reply;
	const char *view;               /* template of a GET page: "tags/index" */
	const char *title;              /* of the page; N_() */
	const char *forms[8];           /* a GET page: the write routes whose forms stand on it */
	const char *on;                 /* a POST page: the GET route shown again, with the input kept, when it fails */
	const char *then;               /* a POST page: where it goes after; {name} from path, input or document */
	const char *done;               /* said after; N_() */
	const char *undo;               /* offered after: route name of the POST that takes it back (same path parameters) */
	enum err (*fn)(struct call *c); /* real flows only; see call.h */
};

/* features.def lists the nouns; each file gives `const struct route NOUN_routes[]`, ending with name NULL. */

#endif
