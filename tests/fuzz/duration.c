/* What is read as a duration is within bounds, and shown in a field it reads back to the second. */
#include "domain/duration.h"
#include "base/mem.h"
#include "fuzz.h"

static void try(const char *text, enum duration_style style)
{
	char out[DURATION_TEXT];
	int64_t s = -1;
	int64_t back = -1;

	if (duration_parse(text, style, &s) != OK) {
		FUZZ_HOLDS(s == -1);
		return;
	}
	FUZZ_HOLDS(s >= 0 && s <= DURATION_MAX_S);
	duration_format_input(s, style, out);
	FUZZ_HOLDS(duration_parse(out, style, &back) == OK && back == s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup(NULL, (const char *)data, size);

	try(text, DURATION_CLOCK);
	try(text, DURATION_DECIMAL);
	mem_free(text);
	return 0;
}
