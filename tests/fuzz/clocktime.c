/* What is read as a time of day is one, and reads back; and no text whatever makes a zone's name look outside tzdata. */
#include "domain/clocktime.h"

#include <string.h>

#include "base/mem.h"
#include "domain/zones.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup(NULL, (const char *)data, size);
	char out[CLOCKTIME_TEXT];
	int32_t at = -1;
	int32_t back = -1;

	if (clocktime_parse(text, &at) == OK) {
		FUZZ_HOLDS(at >= 0 && at < 86400);
		clocktime_format_iso(at, out);
		FUZZ_HOLDS(clocktime_parse(out, &back) == OK && back == at);
	} else {
		FUZZ_HOLDS(at == -1);
	}
	if (zone_is_valid(text))
		FUZZ_HOLDS(!strstr(text, "..") && text[0] != '/');
	mem_free(text);
	return 0;
}
