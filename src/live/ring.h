#ifndef STINT_LIVE_RING_H
#define STINT_LIVE_RING_H
/*
 * The newest events of one organization, in order and without gaps: what a client that comes back catches up on. Plus the
 * sixteen-byte ids everything here is told apart by.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct id {
	uint8_t b[16];
};

bool id_read(const char *text, struct id *out); /* a UUID, either case */
void id_write(const struct id *id, char out[UUID_TEXT]);
bool id_eq(const struct id *a, const struct id *b);

#define NOUN_MAX 32

struct event_row {
	int64_t position;
	struct id row, member; /* member: whose it is, unless it is everybody's */
	bool everybody;
	char noun[NOUN_MAX];
};

/* Fields of a stream's entry. False when it is none of ours. topic: "organization" or "member:UUID". */
bool event_read(struct event_row *e, const char *entry_id, const char *noun, const char *id, const char *topic);
/* {"noun":…,"id":…,"position":…}; returns the length. */
#define EVENT_TEXT_MAX (NOUN_MAX + UUID_TEXT + 64)
size_t event_write(const struct event_row *e, char out[EVENT_TEXT_MAX]);

struct ring {
	struct event_row *rows;
	size_t cap, most, start, count; /* cap grows up to most */
};

void ring_init(struct ring *r, size_t most);
/* The event behind the last one. One that is not starts the ring anew, since what was in between is not known. mem owns the rows. */
void ring_push(struct ring *r, const void *mem, const struct event_row *e);
void ring_clear(struct ring *r);
const struct event_row *ring_at(const struct ring *r, size_t i); /* 0 is the oldest */
/* Where the event behind position stands, or -1 when the ring does not reach back that far. position is before the newest. */
int64_t ring_after(const struct ring *r, int64_t position);

#endif
