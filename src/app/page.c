/* See page.h. */
#include "app/page.h"

#include <string.h>

#include "app/page_forms.h"
#include "app/problem.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "domain/zones.h"
#include "view/i18n.h"

#define FLASH_COOKIE "__Host-flash"

static const struct {
	const char *name, *path;
} places[] = {
	{ "timer", "/timer" },
	{ "timer", "/time-entries" },
	{ "week", "/week" },
	{ "projects", "/projects" },
	{ "clients", "/clients" },
	{ "tags", "/tags" },
	{ "team", "/team" },
	{ "notifications", "/notifications" },
	{ "settings", "/settings" },
	{ "dashboard", "/" },
};

const char *page_local_path(const char *path)
{
	if (!path || path[0] != '/' || path[1] == '/' || strlen(path) > 500)
		return NULL;
	for (const char *p = path; *p; p++) {
		if (*p == '\\' || (unsigned char)*p <= 0x20)
			return NULL;
	}
	return path;
}

static void put(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, value ? json_object_new_string(value) : NULL);
}

static struct json_object *nav_of(const char *path)
{
	struct json_object *nav = json_object_new_object();
	bool found = false;

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		size_t len = strlen(places[i].path);
		bool here = str_eq(path, places[i].path) ||
			(len > 1 && str_starts(path, places[i].path) && path[len] == '/');

		if (here && !found)
			json_object_object_add(nav, places[i].name, json_object_new_boolean(true));
		else if (!json_object_object_get_ex(nav, places[i].name, NULL))
			json_object_object_add(nav, places[i].name, json_object_new_boolean(false));
		found = found || here;
	}
	return nav;
}

/* The one {parameter} of a pattern, filled. */
static char *fill_one(void *mem, const char *pattern, const char *value)
{
	const char *open = strchr(pattern, '{'), *close = open ? strchr(open, '}') : NULL;

	if (!close)
		return mem_strdup(mem, pattern);
	return mem_printf(mem, "%.*s%s%s", (int)(open - pattern), pattern, value, close + 1);
}

/* The cookie says which route was done and to what: words and way back are looked up, nothing foreign is shown. */
static struct json_object *flash_of(struct call *c)
{
	const char *cookie = request_cookie(c->rq, FLASH_COOKIE);
	const char *mark = cookie ? strchr(cookie, '~') : NULL;
	const struct face *face, *undo = NULL;
	struct json_object *flash;

	if (!mark)
		return NULL;
	res_cookie(c->rq, FLASH_COOKIE, "", -1);
	face = routes_by_name(c->app->routes,
		mem_strndup(c->rq->mem, cookie, (size_t)(mark - cookie)), true);
	if (!face || !face->route->done)
		return NULL;
	if (face->route->undo && uuid_is_valid(mark + 1))
		undo = routes_by_name(c->app->routes, face->route->undo, true);
	flash = json_object_new_object();
	put(flash, "message", _(face->route->done));
	put(flash, "undo", undo ? fill_one(c->rq->mem, undo->path, mark + 1) : NULL);
	return flash;
}

static void put_zones(struct call *c, struct json_object *doc)
{
	struct json_object *list = json_object_new_array();
	size_t n = 0;
	const char *const *zones = zones_list(c->rq->mem, &n);

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, json_object_new_string(zones[i]));
	json_object_object_add(doc, "zones", list);
}

/*
 * Where the page that is shown lives, which is where its forms return to. A refused POST was sent from somewhere, and its
 * own address shows nothing.
 */
static const char *place_shown(struct call *c, const struct call *failed)
{
	const char *from = failed ? page_local_path(pairs_get(&failed->form, "return_to")) : NULL;

	if (!c->face)
		return "/";
	if (!failed)
		return *c->rq->raw_query ? mem_printf(c->rq->mem, "%s?%s", c->rq->path, c->rq->raw_query)
					 : c->rq->path;
	return from ? from : path_fill(c->rq->mem, c->face->path, &failed->path);
}

static struct json_object *root_of(struct call *c, const struct call *failed)
{
	struct json_object *root = json_own(c->rq->mem, json_object_new_object());
	const char *here = place_shown(c, failed);
	char id[UUID_TEXT];

	uuid_v7(id);
	put(root, "csrf", c->csrf ? c->csrf : "");
	put(root, "here", here);
	put(root, "path", mem_strndup(c->rq->mem, here, strcspn(here, "?")));
	put(root, "title", c->route && c->route->title ? _(c->route->title) : "Stint");
	put(root, "new_id", id);
	put(root, "request_id", c->rq->id);
	json_object_object_add(root, "nav", nav_of(c->rq->path));
	json_object_object_add(root, "flash", failed ? NULL : flash_of(c));
	json_object_object_add(root, "dev", json_object_new_boolean(c->app->conf->dev));
	/* What answers a form cannot be fetched again: it may say something once, or hold what was typed. */
	json_object_object_add(root, "answers_form", json_object_new_boolean(c->rq->method == METHOD_POST));
	json_object_object_add(root, "signed_in", json_object_new_boolean(c->by_cookie));
	json_object_object_add(root, "frame", c->frame ? json_object_get(c->frame) : NULL);
	json_object_object_add(root, "doc", c->document ? json_object_get(c->document) : NULL);
	return root;
}

static struct view_env env_of(const struct call *c)
{
	struct json_object *person = NULL, *value = NULL;
	struct view_env env = {
		.zone = c->zone ? c->zone : "UTC",
		.language = c->language ? c->language : "en",
		.now_us = clock_now_us(),
	};

	if (!c->frame || !json_object_object_get_ex(c->frame, "person", &person))
		return env;
	if (json_object_object_get_ex(person, "clock_12h", &value))
		env.clock_12h = json_object_get_boolean(value);
	if (json_object_object_get_ex(person, "decimal_durations", &value))
		env.decimal_durations = json_object_get_boolean(value);
	return env;
}

static bool render(struct call *c, const char *view, struct json_object *root, int status)
{
	const struct view_env env = env_of(c);
	const char *why = NULL;
	struct buf out;

	buf_init(&out, c->rq->mem);
	if (!view_render(c->app->views, view, &env, &root, 1, &out, &why)) {
		log_error("page not rendered", "view", view, "why", why ? why : "", NULL);
		return false;
	}
	res_body(c->rq, status, "text/html; charset=utf-8", out.data, out.len);
	return true;
}

void page_show(struct call *c, const struct call *failed)
{
	const char *view = c->view ? c->view : c->route->view;
	struct json_object *root;
	int status = failed ? err_info(failed->err)->status : c->status ? c->status
									: 200;

	if (!c->document)
		c->document = c->doc ? json_trusted(c->rq->mem, c->doc) : json_own(c->rq->mem, json_object_new_object());
	if (c->route->flags & ROUTE_ZONES)
		put_zones(c, c->document);
	root = root_of(c, failed);
	json_object_object_add(root, "forms", page_forms(c, failed));
	if (!render(c, view, root, status == 204 || status == 201 ? 200 : status)) {
		fail(c, ERR_INTERNAL, NULL);
		page_error(c);
	}
}

static void plain_error(struct call *c)
{
	const struct err_info *info = err_info(c->err);
	const char *text = mem_printf(c->rq->mem, "%d %s\n%s\n%s\n", info->status, _(info->title),
		_(info->detail), c->rq->id);

	res_body(c->rq, info->status, "text/plain; charset=utf-8", text, strlen(text));
}

void page_error(struct call *c)
{
	const struct err_info *info = err_info(c->err);
	struct json_object *root, *error = json_object_new_object();

	c->document = NULL;
	root = root_of(c, NULL);
	json_object_object_add(error, "status", json_object_new_int(info->status));
	put(error, "code", info->code);
	put(error, "title", _(info->title));
	put(error, "detail", problem_detail(c));
	json_object_object_add(root, "error", error);
	put(root, "title", _(info->title));
	if (info->status == 503)
		res_header(c->rq, "Retry-After", "2");
	if (!render(c, "errors/error", root, info->status))
		plain_error(c);
}

void page_redirect(struct call *c, const char *path)
{
	res_header(c->rq, "Location", path);
	res_body(c->rq, 303, "text/plain; charset=utf-8", "", 0);
}

static const char *then_path(struct call *c)
{
	struct pairs known = c->path;
	const char *id;

	if (!c->route->then)
		return "/";
	id = c->doc ? json_str(json_trusted(c->rq->mem, c->doc), "id") : NULL;
	if (id) {
		known.items = mem_array(c->rq->mem, struct pair, c->path.count + 1);
		memcpy(known.items, c->path.items, c->path.count * sizeof *known.items);
		known.items[c->path.count] = (struct pair){ .name = "id", .value = id };
		known.count = c->path.count + 1;
	}
	const char *path = path_fill(c->rq->mem, c->route->then, &known);

	return path ? path : "/";
}

void page_after(struct call *c)
{
	const char *back = page_local_path(pairs_get(&c->form, "return_to"));
	const char *id = c->path.count ? c->path.items[0].value : "";

	if (c->route->done)
		res_cookie(c->rq, FLASH_COOKIE,
			mem_printf(c->rq->mem, "%s~%s", c->route->name, id), 60);
	page_redirect(c, c->redirect ? c->redirect : back ? back
							  : then_path(c));
}
