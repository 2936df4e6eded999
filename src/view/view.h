#ifndef STINT_VIEW_VIEW_H
#define STINT_VIEW_VIEW_H
/*
 * Templates: the Mustache language (comments, delimiters, interpolation, inverted, partials, sections, ~inheritance), parsed once in the
 * master, rendered over json-c documents. Beyond the specification, and inside a tag only after the closing delimiter is found:
 *   {{seconds | duration}}           a formatter; several may follow one another; arguments are literals or names: {{n | plural "1 entry" "{n} entries"}}
 *   {{"Start timer" | t}}            a literal, translated; {name} in it is filled from the context: {{"Delete {name}" | t}}
 *   {{"app.css" | asset}}            the hashed address of a static file
 * Formatters know the person: zone, week start, clock and duration style come from struct view_env.
 */
#include <json-c/json.h>
#include <stdbool.h>
#include "base/buf.h"

struct view_env {
	const char *zone;       /* IANA */
	const char *language;   /* "en", "de" … */
	bool clock_12h;
	bool decimal_durations;
	int64_t now_us;
};

struct views; /* a set of parsed templates */
/* Reads every *.html and *.txt below dir; the name is the path without ending ("tags/index"). NULL, *why says file, line, what. */
struct views *views_load(void *mem, const char *dir, const char *assets_file, bool strict, const char **why);
/* Renders name over the stack of documents (last one looked in first). In strict mode a name not found is an error. false, *why (below out->mem). */
bool view_render(const struct views *v, const char *name, const struct view_env *env, struct json_object *const *stack, int depth,
		 struct buf *out, const char **why);
#endif
