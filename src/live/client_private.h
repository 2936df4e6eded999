#ifndef STINT_LIVE_CLIENT_PRIVATE_H
#define STINT_LIVE_CLIENT_PRIVATE_H
/* Between client.c and opening.c alone. */
#include "live/client.h"
#include "live/handshake.h"

struct opening {
	size_t len;
	int64_t since;
	char accept[ACCEPT_LEN + 1];
	char head[HANDSHAKE_MAX];
};

/* Bytes of the request; answers it when it is whole or wrong. */
void client_read_head(struct client *c, const char *data, size_t len);
/* Into the socket, and what does not fit behind it, without a bound. Takes no reference. The client may be gone after it. */
void client_put(struct client *c, struct frame *f);
/* No more is read for use; what is to be sent is sent, then the other side may hang up. */
void client_closing(struct client *c);
/* The next ping, or the end of its session when that comes first. */
void client_due_for_ping(struct client *c);

#endif
