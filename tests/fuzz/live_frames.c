/* Frames of a client: heard the same however the bytes come, never more than may be sent, and nothing kept between them. */
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "live/frame.h"

struct heard {
	int count, code;
	uint32_t sum; /* over all that was heard */
	struct inbox *box;
};

static int hear(void *arg, enum frame_kind kind, const char *payload, size_t len)
{
	struct heard *h = arg;

	FUZZ_HOLDS(len <= FRAME_PAYLOAD_MAX);
	FUZZ_HOLDS(kind == FRAME_TEXT || kind == FRAME_CLOSE || kind == FRAME_PING || kind == FRAME_PONG);
	h->count++;
	h->sum = h->sum * 31 + (uint32_t)kind;
	for (size_t i = 0; i < len; i++)
		h->sum = h->sum * 31 + (uint8_t)payload[i];
	return kind == FRAME_CLOSE ? -1 : 0;
}

static struct heard feed(void *mem, const char *data, size_t size, size_t piece)
{
	struct heard h = { 0 };

	for (size_t at = 0; at < size && !h.code; at += piece)
		h.code = inbox_feed(&h.box, mem, data + at, size - at < piece ? size - at : piece, hear, &h);
	if (h.code)
		FUZZ_HOLDS(!h.box);
	return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *mem = mem_root("fuzz");
	struct heard whole = feed(mem, (const char *)data, size, size + 1), bytes = feed(mem, (const char *)data, size, 1);

	FUZZ_HOLDS(whole.code == bytes.code && whole.count == bytes.count && whole.sum == bytes.sum);
	FUZZ_HOLDS(!whole.box == !bytes.box);
	FUZZ_HOLDS(whole.code == 0 || whole.code == -1 || whole.code == CLOSE_PROTOCOL || whole.code == CLOSE_POLICY);
	mem_free(mem);
	return 0;
}
