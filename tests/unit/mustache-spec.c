/*
 * Runs cases in the JSON format of the public Mustache specification:
 *
 *	mustache-spec FILE.json …
 *
 * Each file holds {"overview": …, "tests": [{"name", "data", "template", "partials", "expected"}]}. A case that fails is
 * shown with what came and what was due; the last line is "N passed, N failed". Exit status 1 when any failed, 2 when a file
 * cannot be read.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "view/view.h"

struct tally {
	int passed, failed;
};

static const char *text_of(struct json_object *test, const char *key)
{
	const char *text = json_str(test, key);

	return text ? text : "";
}

static bool add_partials(struct views *v, struct json_object *test, const char **why)
{
	struct json_object *partials;

	if (!json_object_object_get_ex(test, "partials", &partials) ||
		!json_object_is_type(partials, json_type_object))
		return true;
	json_object_object_foreach(partials, name, partial)
	{
		const char *text = json_object_get_string(partial);

		if (!views_add(v, name, text ? text : "", text ? strlen(text) : 0, true, why))
			return false;
	}
	return true;
}

/* What the template gives, or NULL and *why. */
static const char *outcome(void *mem, struct json_object *test, const char **why)
{
	static const struct view_env env = { .zone = "UTC", .language = "en" };
	const char *template = text_of(test, "template");
	struct views *v = views_new(mem, false);
	struct json_object *data = NULL;
	struct buf out;

	buf_init(&out, mem);
	json_object_object_get_ex(test, "data", &data);
	if (!add_partials(v, test, why) ||
		!views_add(v, "\1template", template, strlen(template), true, why) ||
		!views_link(v, why) || !view_render(v, "\1template", &env, &data, 1, &out, why))
		return NULL;
	return out.data;
}

static void show(const char *what, const char *text)
{
	printf("    %-9s", what);
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", stdout);
		else if (*text == '\r')
			fputs("\\r", stdout);
		else if (*text == '\t')
			fputs("\\t", stdout);
		else
			putchar(*text);
	}
	putchar('\n');
}

static void run_test(const char *file, struct json_object *test, struct tally *tally)
{
	void *mem = mem_root("case");
	const char *why = NULL, *due = text_of(test, "expected"), *came = outcome(mem, test, &why);

	if (came && !strcmp(came, due)) {
		tally->passed++;
	} else {
		tally->failed++;
		printf("FAIL %s: %s\n", file, text_of(test, "name"));
		show("template", text_of(test, "template"));
		show("expected", due);
		show(came ? "came" : "error", came ? came : why);
	}
	mem_free(mem);
}

static bool run_file(const char *file, struct tally *tally)
{
	struct json_object *all = json_object_from_file(file), *tests = NULL;

	if (!all || !json_object_object_get_ex(all, "tests", &tests) ||
		!json_object_is_type(tests, json_type_array)) {
		fprintf(stderr, "mustache-spec: %s: %s\n", file,
			all ? "no \"tests\" in it" : json_util_get_last_err());
		json_object_put(all);
		return false;
	}
	for (size_t i = 0; i < json_object_array_length(tests); i++)
		run_test(file, json_object_array_get_idx(tests, i), tally);
	json_object_put(all);
	return true;
}

int main(int argc, char **argv)
{
	struct tally tally = { .passed = 0 };
	bool readable = true;

	if (argc < 2) {
		fputs("usage: mustache-spec FILE.json …\n", stderr);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		readable = run_file(argv[i], &tally) && readable;
	printf("%d passed, %d failed\n", tally.passed, tally.failed);
	if (!readable)
		return 2;
	return tally.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
