#ifndef STINT_LIVE_TICKET_H
#define STINT_LIVE_TICKET_H
/*
 * What a ticket stands for, as stint-web left it in Redis for half a minute and one use:
 * {"organization": uuid, "member": uuid, "credential": uuid, "expires_at": s since 1970, "topics": ["organization",
 * "member:UUID" | "members"], "position": of the organization's newest event}
 */
#include <stddef.h>

#include "live/ring.h"

/* Whose events somebody may hear of. */
struct hearing {
	struct id member;
	bool organization; /* what is everybody's */
	bool own, members; /* the member's own; all members' */
};

struct ticket {
	struct id organization, credential;
	struct hearing hearing;
	int64_t expires_s, position;
};

bool ticket_read(const char *json, size_t len, struct ticket *out);
bool hears(const struct hearing *h, const struct event_row *e);
/* The key in Redis of a ticket as the client sends it, below mem. */
char *ticket_key(void *mem, const char *ticket);

#endif
