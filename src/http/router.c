/*
 * The tree of paths. One node a segment; literal children are looked at before parameters, ids before other parameters. A
 * search walks back when a literal leads nowhere, so "/tags/new" and "/tags/{name}" can live side by side.
 *
 * Built once at start, only read afterwards. Must not know what a target is.
 */
#include "http/router.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"

#define METHODS ((size_t)METHOD_OTHER)
#define PARAMS_MAX 8

static const char *const method_names[METHODS] = {
	[METHOD_GET] = "GET",
	[METHOD_HEAD] = "HEAD",
	[METHOD_POST] = "POST",
	[METHOD_PUT] = "PUT",
	[METHOD_PATCH] = "PATCH",
	[METHOD_DELETE] = "DELETE",
	[METHOD_OPTIONS] = "OPTIONS",
};

struct node {
	const char *text; /* the literal, or the name of the parameter */
	bool is_param, is_id;
	struct node *child, *next; /* children are ordered as they are tried */
	const void *targets[METHODS];
};

struct router {
	struct node root;
};

struct search {
	void *mem;
	enum method method;
	const struct node *at[PARAMS_MAX]; /* the parameters on the way */
	const char *values[PARAMS_MAX];
	size_t lens[PARAMS_MAX];
	size_t depth;
	bool allowed[METHODS]; /* by nodes that match but for the method */
};

struct router *router_new(void *mem)
{
	return mem_new(mem, struct router);
}

static void refuse(const char *pattern, const char *why) __attribute__((noreturn));

static void refuse(const char *pattern, const char *why)
{
	log_error("a route cannot be added", "pattern", pattern, "why", why, NULL);
	abort();
}

static int rank(const struct node *n)
{
	return !n->is_param ? 0 : n->is_id ? 1
					   : 2;
}

static struct node *child_of(struct router *r, struct node *parent, const char *text, size_t len, bool is_param)
{
	struct node **place = &parent->child;
	struct node *n;

	for (n = parent->child; n; n = n->next)
		if (n->is_param == is_param && strlen(n->text) == len && memcmp(n->text, text, len) == 0)
			return n;
	n = mem_new(r, struct node);
	n->text = mem_strndup(r, text, len);
	n->is_param = is_param;
	n->is_id = is_param && str_ends(n->text, "_id");
	while (*place && rank(*place) <= rank(n))
		place = &(*place)->next;
	n->next = *place;
	*place = n;
	return n;
}

void router_add(struct router *r, enum method method, const char *pattern, const void *target)
{
	struct node *node = &r->root;
	const char *p = pattern;
	size_t params = 0;

	if (*p != '/' || method >= METHOD_OTHER || !target)
		refuse(pattern, "needs a method, a target and a leading slash");
	while (*p == '/' && p[1]) {
		size_t len = strcspn(++p, "/");
		bool is_param = len > 2 && p[0] == '{' && p[len - 1] == '}';

		if (len == 0 || (is_param && ++params > PARAMS_MAX) || (!is_param && memchr(p, '{', len)))
			refuse(pattern, "empty segment, half a parameter or too many");
		node = is_param ? child_of(r, node, p + 1, len - 2, true) : child_of(r, node, p, len, false);
		p += len;
	}
	if (*p == '/' && p != pattern)
		refuse(pattern, "ends with a slash");
	if (node->targets[method])
		refuse(pattern, "is there already");
	node->targets[method] = target;
}

static const void *target_of(const struct node *n, enum method method)
{
	if (method >= METHOD_OTHER)
		return NULL;
	if (method == METHOD_HEAD && !n->targets[METHOD_HEAD])
		return n->targets[METHOD_GET];
	return n->targets[method];
}

static bool segment_matches(const struct node *n, const char *segment, size_t len)
{
	char text[UUID_TEXT];

	if (!n->is_param)
		return strncmp(n->text, segment, len) == 0 && !n->text[len];
	if (!n->is_id)
		return len > 0;
	if (len != UUID_TEXT - 1)
		return false;
	memcpy(text, segment, len);
	text[len] = '\0';
	return uuid_is_valid(text);
}

static void note_allowed(struct search *s, const struct node *n)
{
	for (size_t m = 0; m < METHODS; m++)
		s->allowed[m] |= target_of(n, (enum method)m) != NULL;
}

/* rest is "" or begins with '/'. */
static const void *search_below(struct search *s, const struct node *node, const char *rest)
{
	const char *segment = rest + 1;
	size_t len;

	if (!*rest) {
		const void *target = target_of(node, s->method);

		note_allowed(s, node);
		return target;
	}
	len = strcspn(segment, "/");
	for (const struct node *n = node->child; n; n = n->next) {
		const void *target;

		if (!segment_matches(n, segment, len))
			continue;
		if (n->is_param) {
			s->at[s->depth] = n;
			s->values[s->depth] = segment;
			s->lens[s->depth++] = len;
		}
		target = search_below(s, n, segment + len);
		if (target)
			return target;
		s->depth -= n->is_param;
	}
	return NULL;
}

static void give_params(const struct search *s, struct pairs *out)
{
	*out = (struct pairs){ .items = mem_array(s->mem, struct pair, s->depth + 1), .count = s->depth };
	for (size_t i = 0; i < s->depth; i++) {
		char *value = mem_strndup(s->mem, s->values[i], s->lens[i]);

		if (s->at[i]->is_id) {
			char *id = mem_array(s->mem, char, UUID_TEXT);

			uuid_normalize(value, id);
			value = id;
		}
		out->items[i] = (struct pair){ .name = s->at[i]->text, .value = value };
	}
}

static const char *allow_text(const struct search *s)
{
	const char *text = NULL;

	for (size_t m = 0; m < METHODS; m++)
		if (s->allowed[m])
			text = text ? mem_printf(s->mem, "%s, %s", text, method_names[m]) : method_names[m];
	return text;
}

const void *router_find(const struct router *r, void *mem, enum method method, const char *path, struct pairs *params,
	const char **allow)
{
	struct search s = { .mem = mem, .method = method };
	const void *target = NULL;

	*params = (struct pairs){ .count = 0 };
	*allow = NULL;
	if (*path == '/')
		target = search_below(&s, &r->root, path[1] ? path : "");
	if (target)
		give_params(&s, params);
	else
		*allow = allow_text(&s);
	return target;
}
