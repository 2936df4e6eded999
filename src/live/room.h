#ifndef STINT_LIVE_ROOM_H
#define STINT_LIVE_ROOM_H
/*
 * A room is an organization that has watchers: the newest of its events and who gets them. It is filled from Redis once, when
 * the first watcher comes, and stays for a minute after the last one left.
 */
#include <stdbool.h>

#include "live/live.h"
#include "live/ring.h"
#include "live/ticket.h"

struct client;

/* A watcher's place, side by side with the others': a room is walked for each event. */
struct seat {
	struct client *client;
	int64_t position; /* of what was sent or need not be */
	struct hearing hearing;
};

struct room {
	struct id organization;
	struct rooms *rooms;
	struct room *next; /* in the same bucket */
	struct ring ring;
	int64_t last; /* newest position known; 0 for none */
	bool ready;   /* was filled */
	bool dirty;   /* Redis has more */
	bool check;   /* what Redis has may be something else altogether */
	bool asked;   /* a question about it is under way */
	bool queued;  /* in the feed's list of work, by next_work */
	struct room *next_work;
	int64_t dirty_us, empty_s;
	int64_t back_s; /* since when what Redis has is older than what we know; 0: it is not */
	struct seat *seats;
	size_t nseats, seats_cap;
	struct waiting *waiting; /* watchers that came before it was ready */
	size_t nwaiting, waiting_cap;
};

struct rooms *rooms_new(void *mem, struct live *live);
struct room *room_find(struct rooms *rooms, const struct id *organization);
struct room *room_get(struct rooms *rooms, const struct id *organization); /* made when it is not there */
void rooms_each(struct rooms *rooms, void (*fn)(struct room *room, void *arg), void *arg);
void rooms_sweep(struct rooms *rooms, int64_t now_s); /* empty ones go after a while */
size_t rooms_count(const struct rooms *rooms);

/* How many sockets of a member are here. */
size_t room_member_count(const struct room *room, const struct id *member);
/* The client is opened at once, or when the room is ready. since: -1 for from now on. */
void room_enter(struct room *room, struct client *client, const struct ticket *ticket, int64_t since);
void room_leave(struct client *client);
/* The newest events Redis has, oldest first: fills a new room, and tells an old one what became of its stream. */
void room_fill(struct room *room, const struct event_row *rows, size_t n);
void room_event(struct room *room, const struct event_row *e);

#endif
