/* What is read as an instant or a date is written as one that reads back the same. */
#include <string.h>

#include "base/iso8601.h"
#include "base/mem.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup(NULL, (const char *)data, size);
	char out[ISO8601_MAX];
	int64_t us;
	int64_t back;
	struct date d;

	if (iso8601_parse(text, &us)) {
		iso8601_format(us, out);
		FUZZ_HOLDS(iso8601_parse(out, &back) && back == us);
	}
	if (date_parse(text, &d)) {
		date_format(d, out);
		FUZZ_HOLDS(strcmp(out, text) == 0);
		FUZZ_HOLDS(date_to_days(date_from_days(date_to_days(d))) == date_to_days(d));
	}
	mem_free(text);
	return 0;
}
