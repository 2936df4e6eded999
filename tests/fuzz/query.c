/* An address as clients send it: whatever it is, what a handler gets to see is plain. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "fuzz.h"
#include "http/parse.h"

static void path_is_plain(const char *path)
{
	FUZZ_HOLDS(path[0] == '/');
	FUZZ_HOLDS(strstr(path, "//") == NULL);
	FUZZ_HOLDS(strstr(path, "/./") == NULL && strstr(path, "/../") == NULL);
	FUZZ_HOLDS(!str_ends(path, "/.") && !str_ends(path, "/.."));
	for (const char *p = path; *p; p++)
		FUZZ_HOLDS((unsigned char)*p >= ' ' && *p != 0x7F);
}

static void texts_are_utf8(const struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		FUZZ_HOLDS(str_is_utf8(pairs->items[i].name, strlen(pairs->items[i].name)));
		FUZZ_HOLDS(str_is_utf8(pairs->items[i].value, strlen(pairs->items[i].value)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *mem = mem_root("fuzz");
	struct pair params[2] = { { .name = "REQUEST_METHOD", .value = "GET" } };
	const char *why = NULL;
	struct request rq;
	size_t body_len;

	request_init(&rq, mem);
	params[1] = (struct pair){ .name = "REQUEST_URI", .value = mem_strndup(mem, (const char *)data, size) };
	rq.params = (struct pairs){ .items = params, .count = 2 };
	if (request_parse(&rq, 1000, &body_len, &why) == OK) {
		path_is_plain(rq.path);
		FUZZ_HOLDS(str_is_utf8(rq.path, strlen(rq.path)));
		texts_are_utf8(&rq.query);
	} else {
		FUZZ_HOLDS(why != NULL && rq.path != NULL && rq.id != NULL);
	}
	mem_free(mem);
	return 0;
}
