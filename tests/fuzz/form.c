/* Form bodies: what is read is text, in the order and number it was sent. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "fuzz.h"
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *mem = mem_root("fuzz");
	struct pairs pairs;
	size_t most = 1;
	enum err e;

	for (size_t i = 0; i < size; i++)
		most += data[i] == '&';
	e = form_parse(mem, (const char *)data, size, &pairs);
	FUZZ_HOLDS(e == OK || e == ERR_ENCODING || e == ERR_TOO_LARGE);
	FUZZ_HOLDS((e == ERR_TOO_LARGE) == (size > 0 && most > 512));
	for (size_t i = 0; e == OK && i < pairs.count; i++) {
		FUZZ_HOLDS(str_is_utf8(pairs.items[i].name, strlen(pairs.items[i].name)));
		FUZZ_HOLDS(str_is_utf8(pairs.items[i].value, strlen(pairs.items[i].value)));
	}
	FUZZ_HOLDS(e != OK || pairs.count <= most);
	mem_free(mem);
	return 0;
}
