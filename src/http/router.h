#ifndef STINT_HTTP_ROUTER_H
#define STINT_HTTP_ROUTER_H
/*
 * Paths to routes: literal segments and {name} segments, literal before parameter. Parameters whose
 * name ends in _id must be UUIDs (anything else does not match, so it is a 404).
 */
#include "http/request.h"

struct router;
struct router *router_new(void *mem);
/* pattern "/api/v1/tags/{tag_id}". target is given back by router_find. Aborts when the pair is there already. */
void router_add(struct router *r, enum method method, const char *pattern, const void *target);
/* The target, with path parameters in *params (ids lower-cased, below mem); NULL when there is none, then *allow is NULL (404)
 * or "GET, HEAD, POST" (405). HEAD finds GET. */
const void *router_find(const struct router *r, void *mem, enum method method, const char *path, struct pairs *params, const char **allow);

#endif
