#ifndef STINT_LIVE_CLIENT_H
#define STINT_LIVE_CLIENT_H
/*
 * One connection, from the request that opens it to its end. A client is freed at the end of the turn of the loop in which
 * it ended, so whoever walks over clients need not fear that one goes under them; its state says that it is gone.
 */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>

#include "live/frame.h"
#include "live/live.h"
#include "live/room.h"

enum client_state {
	CLIENT_HEAD,    /* its request is being read */
	CLIENT_ASKING,  /* its ticket is being looked up */
	CLIENT_WAITING, /* its room is being filled */
	CLIENT_OPEN,
	CLIENT_CLOSING, /* the last bytes are on their way; what it sends is not read any more */
	CLIENT_GONE,
};

struct client {
	struct live *live;
	struct event event;          /* readable */
	struct client *next, **link; /* among those due in the same second, or gone */
	int64_t due_s, expires_s;
	struct opening *opening; /* until it is open */
	struct question *question;
	struct inbox *inbox;
	struct outbox *out;
	struct room *room;
	struct id credential;
	uint32_t seat; /* in room */
	int fd;
	uint8_t state;
	bool silent; /* nothing came since the last ping */
};

struct clients *clients_new(void *mem, struct live *live);
/* Takes over a connection that was just accepted. */
void client_accept(struct live *live, int fd);
/* Answers the request: the socket is open from here on. resync: what came after since cannot be told. */
void client_open(struct client *c, int64_t position, bool resync);
/* Takes no reference. A client that does not keep up is closed with 1013. */
void client_send(struct client *c, struct frame *f);
void client_close(struct client *c, int code, const char *reason);
/* Refuses a request that is not answered yet. */
void client_refuse(struct client *c, int status, const char *why);
void clients_close_credential(struct live *live, const struct id *credential);
void clients_close_all(struct live *live, int code, const char *reason);
void clients_tick(struct live *live); /* about once a second */
void clients_free(struct live *live);    /* whoever is still there is cut off */
size_t clients_count(const struct live *live); /* connections of any state */

#endif
