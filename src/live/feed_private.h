#ifndef STINT_LIVE_FEED_PRIVATE_H
#define STINT_LIVE_FEED_PRIVATE_H
/* Between feed.c, the connections to Redis, and streams.c, what is asked over them. */
#include <event2/event.h>
#include <event2/event_struct.h>

#include "live/feed.h"
#include "live/revoked.h"
#include "redis/async.h"

#define ROOMS_A_READ 64
#define ENTRY_ID 64

enum feed_state { FEED_DOWN,
	FEED_DIALLING,
	FEED_UP };

/* One connection in our loop. */
struct line {
	struct feed *feed;
	struct redis_async *redis;
	struct event event;
	bool watched, up;
};

struct feed {
	struct live *live;
	struct line talk, ear;
	struct event *dial;
	enum feed_state state;
	int dial_ms;
	int64_t since_s, beat_s;  /* dialling; a beat on its way (0: none) */
	struct room *work;        /* rooms something is to be asked about */
	struct id batch[ROOMS_A_READ]; /* those of the read under way */
	size_t nbatch;
	bool reading, control_dirty, control_reading;
	char control_at[ENTRY_ID], channel[64], ear_id[24];
	struct revoked *revoked;
	bool said; /* that Redis is away */
};

/* Either connection failed or gave an error: both are closed, and dialled again after a pause. */
void feed_lost(struct feed *feed, const char *why);
/* Asks what is to be asked, as far as nothing is under way. */
void feed_pump(struct feed *feed);
/* Redis says that this key changed. */
void feed_key_changed(struct feed *feed, const char *key);
/* Nothing is known for sure: every room's stream and the control stream. */
void feed_look_at_all(struct feed *feed);

#endif
