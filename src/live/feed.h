#ifndef STINT_LIVE_FEED_H
#define STINT_LIVE_FEED_H
/*
 * Redis, as far as stint-live asks it: tickets, the streams of organizations that have a room, and who was signed out. Two
 * connections, however many organizations there are.
 */
#include "live/live.h"
#include "live/room.h"

struct client;
struct feed *feed_new(void *mem, struct live *live);
/* Looks a ticket up and takes it, so that it works once. The answer comes as client_ticket(). False: Redis is away. */
bool feed_ask_ticket(struct feed *feed, struct client *c, const char *ticket);
/* The client is going; an answer on its way is for nobody. */
void feed_forget(struct client *c);
/* The room has to be filled or looked at. */
void feed_wake(struct feed *feed, struct room *room);
void feed_tick(struct feed *feed); /* about once a second */
/* Connects anew, after redis_url changed. */
void feed_restart(struct feed *feed);

/* In client.c: what came of a ticket. json NULL: there is no such ticket; away: Redis could not be asked. */
void client_ticket(struct client *c, const char *json, size_t len, bool away);
/* Whether the credential ended lately. */
bool feed_is_revoked(const struct feed *feed, const struct id *credential);

#endif
