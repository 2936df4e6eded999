/* The head of a WebSocket handshake. Whatever it is, what is let through is a ticket and a position, and it reads the same twice. */
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "live/handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *head = (const char *)data;
	struct handshake h, again;
	int result;

	if (size > HANDSHAKE_MAX)
		return 0;
	result = handshake_read(head, size, "https://stint.example", &h);
	FUZZ_HOLDS(result == handshake_read(head, size, "https://stint.example", &again));
	if (result == HANDSHAKE_OPEN) {
		FUZZ_HOLDS(strlen(h.ticket) == TICKET_LEN && strlen(h.accept) == ACCEPT_LEN);
		FUZZ_HOLDS(h.since >= -1);
		FUZZ_HOLDS(strspn(h.ticket, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == TICKET_LEN);
		/* Its end is the end of what came, and no sooner. */
		FUZZ_HOLDS(size > 4 && memcmp(head + size - 4, "\r\n\r\n", 4) == 0);
		FUZZ_HOLDS(memmem(head, size, "\r\n\r\n", 4) == head + size - 4);
	} else if (result != HANDSHAKE_MORE && result != HANDSHAKE_METRICS) {
		FUZZ_HOLDS(result >= 400 && result < 500 && h.why);
	}
	return 0;
}
