/*
 * The table of routes: declarations in, faces and a router out. What a declaration leaves out is
 * filled in here once (the query's name from the route's), and contradictions end the start,
 * because a route that nobody can reach, or without its query, is a mistake of ours.
 */
#include "app/routes.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

struct routes {
	struct face *faces;
	int nfaces;
	struct router *router;
};

static _Noreturn void route_broken(const struct route *route, const char *why)
{
	log_error("route contradicts itself", "route", route->name, "why", why, NULL);
	abort();
}

char *route_symbol(void *mem, const char *name)
{
	char *symbol = mem_strdup(mem, name);

	for (char *p = symbol; *p; p++) {
		if (*p == '.')
			*p = '_';
	}
	return symbol;
}

char *path_fill(void *mem, const char *pattern, const struct pairs *params)
{
	struct buf out;

	buf_init(&out, mem);
	for (const char *p = pattern; *p;) {
		const char *open = strchr(p, '{');
		const char *close = open ? strchr(open, '}') : NULL;

		if (!close) {
			buf_puts(&out, p);
			break;
		}
		buf_add(&out, p, (size_t)(open - p));
		char *name = mem_strndup(mem, open + 1, (size_t)(close - open - 1));
		const char *value = pairs_get(params, name);

		if (!value)
			return NULL;
		buf_url(&out, value, strlen(value));
		p = close + 1;
	}
	return out.data;
}

static enum method method_of(const struct route *route, const char *text)
{
	static const struct {
		const char *text;
		enum method method;
	} methods[] = {
		{ "GET ", METHOD_GET },
		{ "POST ", METHOD_POST },
		{ "PUT ", METHOD_PUT },
		{ "PATCH ", METHOD_PATCH },
		{ "DELETE ", METHOD_DELETE },
	};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (str_starts(text, methods[i].text))
			return methods[i].method;
	}
	route_broken(route, "a face begins with GET, POST, PUT, PATCH or DELETE");
}

static const struct query *query_of(void *mem, const struct route *route)
{
	const struct query *query;

	if (route->fn || (route->flags & ROUTE_STATIC))
		return route->query ? query_find(route->query) : NULL;
	query = query_find(route->query ? route->query : route_symbol(mem, route->name));
	if (!query)
		route_broken(route, "there is no query of its name");
	return query;
}

static void face_add(struct routes *r, const struct route *route, const char *face, bool page)
{
	const char *space = strchr(face, ' ');
	struct face *f;

	r->faces = mem_grow(r, r->faces, struct face, (size_t)r->nfaces + 1);
	f = &r->faces[r->nfaces++];
	*f = (struct face){
		.route = route,
		.query = query_of(r, route),
		.page = page,
		.method = method_of(route, face),
		.method_text = mem_strndup(r, face, (size_t)(space - face)),
		.path = mem_printf(r, "%s%s", page ? "" : API_BASE, space + 1),
	};
	if (page && f->method == METHOD_GET && !route->view && !route->fn)
		route_broken(route, "a page that is shown needs a view");
	if (f->method != METHOD_GET && !page && !(route->flags & (ROUTE_WRITE | ROUTE_READS)))
		route_broken(route, "say ROUTE_WRITE, or ROUTE_READS for a POST that reads");
}

static void route_add(struct routes *r, const struct route *route)
{
	if (!route->api && !route->page)
		route_broken(route, "it has neither an API path nor a page");
	if (route->api)
		face_add(r, route, route->api, false);
	if (route->page)
		face_add(r, route, route->page, true);
}

struct routes *routes_new(void *mem, const struct route *const *tables)
{
	struct routes *r = mem_new(mem, struct routes);

	for (; *tables; tables++) {
		for (const struct route *route = *tables; route->name; route++)
			route_add(r, route);
	}
	r->router = router_new(r);
	for (int i = 0; i < r->nfaces; i++)
		router_add(r->router, r->faces[i].method, r->faces[i].path, &r->faces[i]);
	return r;
}

const struct face *routes_faces(const struct routes *r, int *count)
{
	*count = r->nfaces;
	return r->faces;
}

const struct face *routes_find(const struct routes *r, void *mem, enum method method,
	const char *path, struct pairs *params, const char **allow)
{
	return router_find(r->router, mem, method, path, params, allow);
}

const struct face *routes_by_name(const struct routes *r, const char *name, bool page)
{
	for (int i = 0; i < r->nfaces; i++) {
		if (r->faces[i].page == page && str_eq(r->faces[i].route->name, name))
			return &r->faces[i];
	}
	return NULL;
}
