/* Whatever json_parse() accepts is written as JSON that it accepts again, to the same text. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *mem = talloc_new(NULL);
	struct json_object *tree;
	struct json_object *again;
	const char *where = NULL;
	enum err e = json_parse(mem, (const char *)data, size, &tree, &where);

	FUZZ_HOLDS(e == OK || e == ERR_JSON_SYNTAX || e == ERR_JSON_DUPLICATE || e == ERR_ENCODING);
	FUZZ_HOLDS((e == OK) == (where == NULL));
	if (e == OK) {
		const char *text = json_text(mem, tree);

		FUZZ_HOLDS(json_parse(mem, text, strlen(text), &again, &where) == OK);
		FUZZ_HOLDS(strcmp(json_text(mem, again), text) == 0);
	}
	mem_free(mem);
	return 0;
}
