/*
 * A set of templates: read from a folder, parsed, and linked, so that a partial that is not there
 * is found at the start and not by a person.
 */
#include "view/template.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "view/formatters.h"

#define FILE_MAX (1024 * 1024)
#define FOLDERS_MAX 8

struct views *views_new(void *mem, bool strict)
{
	struct views *v = mem_new(mem, struct views);

	v->strict = strict;
	return v;
}

static bool add(struct views *v, const char *name, const char *place, struct slice source,
	bool escape, const char **why)
{
	struct template *t = mem_new(v, struct template);

	*t = (struct template){ .name = mem_strdup(t, name),
		.place = mem_strdup(t, place),
		.source = source,
		.escape = escape };
	if (!str_is_utf8(source.text, source.len)) {
		*why = mem_printf(v, "%s: not UTF-8", place);
		return false;
	}
	for (size_t i = 0; i < v->count; i++) {
		if (str_eq(v->templates[i]->name, name)) {
			*why = mem_printf(
				v, "%s and %s have one name", v->templates[i]->place, place);
			return false;
		}
	}
	v->templates = mem_grow(v, v->templates, struct template *, v->count + 1);
	v->templates[v->count++] = t;
	return template_parse(t, t, why);
}

bool views_add(struct views *v, const char *name, const char *text, size_t len, bool escape,
	const char **why)
{
	struct slice source = { .text = mem_strndup(v, text, len), .len = len };

	return add(v, name, name, source, escape, why);
}

static int by_name(const void *a, const void *b)
{
	const struct template *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static int name_against(const void *name, const void *item)
{
	const struct template *const *t = item;

	return strcmp(name, (*t)->name);
}

const struct template *views_find(const struct views *v, const char *name)
{
	struct template *const *hit = v->count
		? bsearch(name, v->templates, v->count, sizeof(*v->templates), name_against)
		: NULL;

	return hit ? *hit : NULL;
}

const char *views_asset(const struct views *v, const char *name)
{
	return v->assets ? json_str(v->assets, name) : NULL;
}

static bool link_asset(
	const struct views *v, const struct template *t, const struct node *n, const char **why)
{
	const struct expr *e = n->expr;

	if (!e || !v->assets || !e->npipes || strcmp(e->pipes[0].formatter->name, "asset") != 0 ||
		e->head.kind != OPERAND_LITERAL || views_asset(v, e->head.text))
		return true;
	*why = mem_printf(
		v, "%s:%d: there is no static file \"%s\"", t->place, n->line, e->head.text);
	return false;
}

static bool link_nodes(
	struct views *v, const struct template *t, struct nodes *nodes, const char **why)
{
	for (int i = 0; i < nodes->count; i++) {
		struct node *n = &nodes->items[i];

		if (n->kind == NODE_PARTIAL || n->kind == NODE_PARENT) {
			n->target = views_find(v, n->name);
			if (!n->target && v->strict) {
				*why = mem_printf(v, "%s:%d: there is no template %s", t->place,
					n->line, n->name);
				return false;
			}
		}
		if (!link_asset(v, t, n, why) || !link_nodes(v, t, &n->children, why))
			return false;
	}
	return true;
}

bool views_link(struct views *v, const char **why)
{
	if (v->count)
		qsort(v->templates, v->count, sizeof(*v->templates), by_name);
	v->names = mem_array(v, const char *, v->count + 1);
	for (size_t i = 0; i < v->count; i++)
		v->names[i] = v->templates[i]->name;
	for (size_t i = 0; i < v->count; i++)
		if (!link_nodes(v, v->templates[i], &v->templates[i]->nodes, why))
			return false;
	return true;
}

bool views_assets(struct views *v, const char *manifest_json, const char **why)
{
	enum err e = json_parse(v, manifest_json, strlen(manifest_json), &v->assets, why);

	if (!e && json_object_is_type(v->assets, json_type_object))
		return true;
	*why = mem_printf(v, "the manifest of static files is no JSON object%s%s",
		e && *why ? ": " : "", e && *why ? *why : "");
	v->assets = NULL;
	return false;
}

/* The whole file, NUL-terminated, below mem. */
static bool file_read(void *mem, const char *path, struct slice *out, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st = { .st_size = 0 };
	char *text;
	ssize_t got = -1;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX) {
		text = mem_array(mem, char, (size_t)st.st_size + 1);
		got = read(fd, text, (size_t)st.st_size);
		*out = (struct slice){ .text = text, .len = (size_t)st.st_size };
	}
	if (got != st.st_size || got < 0)
		*why = mem_printf(mem, "%s: %s", path,
			fd < 0 || got < 0 ? (errno ? strerror(errno) : "cannot be read")
					  : "changed while it was read");
	if (fd >= 0)
		close(fd);
	return got >= 0 && got == st.st_size;
}

static bool load_file(struct views *v, const char *path, const char *place, const char **why)
{
	struct slice source;
	char *name = mem_strdup(v, place);

	*strrchr(name, '.') = '\0';
	return file_read(v, path, &source, why) &&
		add(v, name, place, source, str_ends(place, ".html"), why);
}

static bool load_folder(
	struct views *v, const char *folder, const char *prefix, int depth, const char **why);

static bool load_item(struct views *v, const char *folder, const char *prefix, const char *name,
	int depth, const char **why)
{
	const char *path = mem_printf(v, "%s/%s", folder, name);
	const char *place = mem_printf(v, "%s%s", prefix, name);
	struct stat st;

	if (name[0] == '.')
		return true;
	if (stat(path, &st)) {
		*why = mem_printf(v, "%s: %s", path, strerror(errno));
		return false;
	}
	if (S_ISDIR(st.st_mode))
		return depth == FOLDERS_MAX ||
			load_folder(v, path, mem_printf(v, "%s/", place), depth + 1, why);
	if (!str_ends(name, ".html") && !str_ends(name, ".txt"))
		return true;
	return load_file(v, path, place, why);
}

static bool load_folder(
	struct views *v, const char *folder, const char *prefix, int depth, const char **why)
{
	struct dirent **items = NULL;
	int count = scandir(folder, &items, NULL, alphasort);
	bool good = true;

	if (count < 0) {
		*why = mem_printf(v, "%s: %s", folder, strerror(errno));
		return false;
	}
	for (int i = 0; i < count; i++) {
		good = good && load_item(v, folder, prefix, items[i]->d_name, depth, why);
		free(items[i]);
	}
	free(items);
	return good;
}

struct views *views_load(
	void *mem, const char *dir, const char *assets_file, bool strict, const char **why)
{
	struct views *v = views_new(mem, strict);
	struct slice manifest;
	bool good = true;

	if (assets_file)
		good = file_read(v, assets_file, &manifest, why) &&
			views_assets(v, manifest.text, why);
	good = good && load_folder(v, dir, "", 0, why) && views_link(v, why);
	if (good && !v->count) {
		*why = mem_printf(v, "%s: no templates here", dir);
		good = false;
	}
	if (good)
		return v;
	*why = mem_strdup(mem, *why);
	mem_free(v);
	return NULL;
}

const char *const *views_names(const struct views *v, size_t *count)
{
	*count = v->count;
	return v->names;
}

static void tell_tags(const struct template *t, const struct nodes *nodes,
	void (*seen)(void *data, const struct view_tag *tag), void *data)
{
	static const char sigils[] = { [NODE_RAW] = '{',
		[NODE_SECTION] = '#',
		[NODE_INVERTED] = '^',
		[NODE_PARTIAL] = '>',
		[NODE_PARENT] = '<',
		[NODE_BLOCK] = '$' };

	for (int i = 0; i < nodes->count; i++) {
		const struct node *n = &nodes->items[i];
		const struct expr *e = n->expr;
		struct view_tag tag = {
			.view = t->name, .line = n->line, .sigil = sigils[n->kind], .name = n->name
		};

		if (e && e->head.kind != OPERAND_LITERAL)
			tag.name = e->head.text;
		if (e && e->npipes)
			tag.formatter = e->pipes[e->npipes - 1].formatter->name;
		if (n->kind != NODE_TEXT)
			seen(data, &tag);
		tell_tags(t, &n->children, seen, data);
	}
}

void views_tags(
	const struct views *v, void (*seen)(void *data, const struct view_tag *tag), void *data)
{
	for (size_t i = 0; i < v->count; i++)
		tell_tags(v->templates[i], &v->templates[i]->nodes, seen, data);
}
