#ifndef STINT_APP_ROUTES_H
#define STINT_APP_ROUTES_H
/*
 * All routes of the program, from the features' tables. A route has up to two faces: one for programs
 * below /api/v1, one for people. Built once in the master; workers share it.
 */
#include "app/route.h"
#include "db/db.h"
#include "http/router.h"

#define API_BASE "/api/v1"

struct face {
	const struct route *route;
	const struct query *query; /* NULL: none */
	bool page;
	enum method method;
	const char *method_text;
	const char *path; /* whole pattern, "/api/v1/tags/{tag_id}" */
};

struct routes;
/* tables: one array of routes per noun, each ending with name NULL; the list ends with NULL. Aborts on a route that contradicts itself. */
struct routes *routes_new(void *mem, const struct route *const *tables);
const struct face *routes_faces(const struct routes *r, int *count);
const struct face *routes_find(const struct routes *r, void *mem, enum method method,
	const char *path, struct pairs *params, const char **allow);
/* The face of a route by name; page chooses which. NULL when it has none. */
const struct face *routes_by_name(const struct routes *r, const char *name, bool page);
/* "tags_update" of "tags.update". */
char *route_symbol(void *mem, const char *name);
/* Fills {name} in a pattern from pairs; NULL when one is missing. */
char *path_fill(void *mem, const char *pattern, const struct pairs *params);

#endif
