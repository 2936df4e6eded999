/* The Cookie header: a cookie is found whole, between separators, or not at all. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "fuzz.h"
#include "http/parse.h"

static void look_up(struct request *rq, const char *header, const char *name)
{
	const char *value = request_cookie(rq, name);
	const char *pair = mem_printf(rq->mem, "%s=%s", name, value ? value : "");

	if (!value)
		return;
	FUZZ_HOLDS(strchr(value, ';') == NULL);
	FUZZ_HOLDS(strstr(header, pair) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *mem = mem_root("fuzz");
	const char *header = mem_strndup(mem, (const char *)data, size);
	struct pair param = { .name = "HTTP_COOKIE", .value = header };
	struct request rq;

	request_init(&rq, mem);
	rq.params = (struct pairs){ .items = &param, .count = 1 };
	look_up(&rq, header, "a");
	look_up(&rq, header, "__Host-stint");
	mem_free(mem);
	return 0;
}
