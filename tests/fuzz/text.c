/* The decoders of text give valid text, or nothing. */
#include <string.h>

#include "base/buf.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "fuzz.h"

static void urls(void *mem, const char *data, size_t size)
{
	char *decoded = str_url_decode(mem, data, size, false);
	struct buf encoded;

	if (!decoded)
		return;
	FUZZ_HOLDS(str_is_utf8(decoded, strlen(decoded)));
	FUZZ_HOLDS(strlen(str_trim(mem, decoded)) <= strlen(decoded));
	buf_init(&encoded, mem);
	buf_url(&encoded, decoded, strlen(decoded));
	FUZZ_HOLDS(strcmp(str_url_decode(mem, encoded.data, encoded.len, true), decoded) == 0);
}

static void base64(void *mem, const char *text)
{
	size_t len;
	unsigned char *bytes = str_base64url_decode(mem, text, &len);

	if (bytes)
		FUZZ_HOLDS(strcmp(str_base64url(mem, bytes, len), text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *mem = talloc_new(NULL);
	char *text = mem_strndup(mem, (const char *)data, size);
	char id[UUID_TEXT];
	struct buf quoted;

	urls(mem, (const char *)data, size);
	base64(mem, text);
	if (uuid_normalize(text, id))
		FUZZ_HOLDS(str_eq_nocase(text, id));
	buf_init(&quoted, mem);
	buf_json_str(&quoted, text, strlen(text));
	FUZZ_HOLDS(json_scan(mem, quoted.data, quoted.len, NULL) == OK);
	mem_free(mem);
	return 0;
}
