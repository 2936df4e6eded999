/*
 * The template engine: any template, with any partial and any document, ends in a page or in a message, and what a
 * document brings into HTML never opens a tag of its own.
 *
 * Input: template, NUL, partial "p", NUL, JSON. What is missing is empty.
 */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "fuzz.h"
#include "view/i18n.h"
#include "view/view.h"

static const struct view_env env = {
	.zone = "Europe/Berlin", .language = "en", .now_us = 1795435200000000
};

struct part {
	const char *text;
	size_t len;
};

static struct part next_part(const char **at, const char *end)
{
	const char *nul = *at < end ? memchr(*at, '\0', (size_t)(end - *at)) : NULL;
	struct part part = { .text = *at, .len = (size_t)((nul ? nul : end) - *at) };

	*at = nul ? nul + 1 : end;
	return part;
}

static void render(
	void *mem, struct part template, struct part partial, struct json_object *doc, bool strict)
{
	struct views *v = views_new(mem, strict);
	const char *why = NULL;
	struct buf out;
	bool made;

	buf_init(&out, mem);
	made = views_add(v, "main", template.text, template.len, true, &why) &&
		views_add(v, "p", partial.text, partial.len, true, &why) && views_link(v, &why) &&
		view_render(v, "main", &env, &doc, 1, &out, &why);
	FUZZ_HOLDS(made || (why && *why));
	FUZZ_HOLDS(strlen(out.data) == out.len);
	if (made && !memchr(template.text, '<', template.len) &&
		!memchr(partial.text, '<', partial.len) &&
		!memmem(template.text, template.len, "{{{", 3) &&
		!memmem(partial.text, partial.len, "{{{", 3) &&
		!memchr(template.text, '&', template.len) &&
		!memchr(partial.text, '&', partial.len) &&
		!memchr(template.text, '=', template.len) &&
		!memchr(partial.text, '=', partial.len) &&
		!memchr(template.text, '|', template.len) &&
		!memchr(partial.text, '|', partial.len))
		FUZZ_HOLDS(!memchr(out.data, '<', out.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *mem = talloc_new(NULL);
	const char *at = (const char *)data, *end = at + size;
	struct part template = next_part(&at, end), partial = next_part(&at, end),
		    json = next_part(&at, end);
	struct json_object *doc = NULL;

	if (json_parse(mem, json.text, json.len, &doc, NULL) != OK)
		doc = json_trusted(mem,
			"{\"a\":{\"b\":[1,2.5,\"<x>\",null]},\"t\":\"2026-11-23T08:00:00Z\",\"n\":"
			"5400}");
	render(mem, template, partial, doc, false);
	render(mem, template, partial, doc, true);
	mem_free(mem);
	return 0;
}
