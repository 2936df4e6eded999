#ifndef STINT_VIEW_VIEW_H
#define STINT_VIEW_VIEW_H
/*
 * Templates: the Mustache language (comments, delimiters, interpolation, inverted, partials,
 * sections, ~inheritance), parsed once in the master, rendered over json-c documents. Beyond the
 * specification, and inside a tag only after the closing delimiter is found:
 *
 *   {{seconds | duration}}     a formatter; several may follow one another; arguments are literals
 *                              or names: {{n | plural "1 entry" "{n} entries"}}
 *   {{"Start timer" | t}}      a literal, translated; {name} in it is filled from the context:
 *                              {{"Delete {name}" | t}}; a formatter may follow the name:
 *                              {{"{total_s|duration} of {target_s|hours}" | t}}
 *   {{"app.css" | asset}}      the hashed address of a static file
 *   {{#role | is "owner"}}…{{/role}}
 *                              a formatter in a section or an inverted section; the closing tag
 *                              names what stands before the pipe
 *
 * Formatters know the person: zone, clock and duration style come from struct view_env. All of
 * them: formatters.c.
 *
 * What counts as nothing for a section: a missing name, null, false, an empty list, "" and 0 (the
 * last two as in mustache.js; the specification leaves them open). An empty object counts as
 * something.
 *
 * Files ending in .html are escaped, files ending in .txt (mail) are not.
 */
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

struct view_env {
	const char *zone; /* IANA */
	const char *language; /* "en", "de" … */
	bool clock_12h;
	bool decimal_durations;
	int64_t now_us;
};

struct views; /* a set of parsed templates */

/*
 * Reads every *.html and *.txt below dir; the name is the path without ending ("tags/index"). NULL,
 * *why says file, line, what. assets_file: the manifest of static files; NULL when there are none.
 * Strict: a partial, an asset or a name not found is an error.
 */
struct views *views_load(
	void *mem, const char *dir, const char *assets_file, bool strict, const char **why);

/*
 * Renders name over the stack of documents (last one looked in first). In strict mode a name not
 * found is an error. false, *why (below out->mem).
 */
bool view_render(const struct views *v, const char *name, const struct view_env *env,
	struct json_object *const *stack, int depth, struct buf *out, const char **why);

/* The same set, made by hand (tests, the specification's cases): new, add each, link, render. */
struct views *views_new(void *mem, bool strict);
bool views_add(struct views *v, const char *name, const char *text, size_t len, bool escape,
	const char **why);
bool views_assets(struct views *v, const char *manifest_json, const char **why);
bool views_link(struct views *v, const char **why);

/* Sorted names of all templates; *count of them. */
const char *const *views_names(const struct views *v, size_t *count);

/* What a lint asks of a template: each tag that prints or repeats something. */
struct view_tag {
	const char *view; /* "tags/index" */
	int line;
	char sigil; /* 0 for {{x}}, '{' for raw, '#', '^', '>', '<', '$' */
	const char *name; /* what stands first: a path, a template, a block; NULL for a literal */
	const char *formatter; /* the last one, or NULL */
};
void views_tags(
	const struct views *v, void (*seen)(void *data, const struct view_tag *tag), void *data);

#endif
