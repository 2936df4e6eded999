/*
 * Rooms, by organization. All decisions about positions are here: what a watcher has seen, what it must still get, and when
 * the only honest thing to say is resync.
 *
 * Positions have no gaps, so a gap in what Redis gives means that events were lost on the way (a Redis that came back
 * empty), and every watcher loads its content anew; it is never guessed what was missed. A newest one that is lower than before is
 * either a stream that begins anew and is being caught up, which is waited for, or, when that does not come to an end, a
 * database that was put back to an earlier state.
 */
#include "live/room.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "live/client.h"
#include "live/frame.h"

#define BUCKETS 4096
#define STAY_S 60
#define BACK_S 10

static const char resync_text[] = "{\"resync\":true}";

struct waiting {
	struct client *client;
	struct ticket ticket;
	int64_t since;
};

struct rooms {
	struct live *live;
	struct room *bucket[BUCKETS];
	size_t count;
	struct frame *resync;
};

static int rooms_fini(struct rooms *rooms)
{
	frame_put(rooms->resync);
	return 0;
}

struct rooms *rooms_new(void *mem, struct live *live)
{
	struct rooms *rooms = mem_new(mem, struct rooms);

	rooms->live = live;
	rooms->resync = frame_new(FRAME_TEXT, resync_text, strlen(resync_text));
	talloc_set_destructor(rooms, rooms_fini);
	return rooms;
}

static struct room **bucket_of(struct rooms *rooms, const struct id *id)
{
	return &rooms->bucket[(((size_t)id->b[14] << 8) | id->b[15]) % BUCKETS];
}

struct room *room_find(struct rooms *rooms, const struct id *organization)
{
	struct room *room = *bucket_of(rooms, organization);

	while (room && !id_eq(&room->organization, organization))
		room = room->next;
	return room;
}

struct room *room_get(struct rooms *rooms, const struct id *organization)
{
	struct room *room = room_find(rooms, organization), **bucket = bucket_of(rooms, organization);

	if (room)
		return room;
	room = mem_new(rooms, struct room);
	room->organization = *organization;
	room->rooms = rooms;
	room->check = true;
	room->empty_s = live_now_s();
	ring_init(&room->ring, (size_t)rooms->live->conf->live_ring);
	room->next = *bucket;
	*bucket = room;
	rooms->count++;
	return room;
}

void rooms_each(struct rooms *rooms, void (*fn)(struct room *room, void *arg), void *arg)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct room *room = rooms->bucket[i]; room; room = room->next)
			fn(room, arg);
}

void rooms_sweep(struct rooms *rooms, int64_t now_s)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct room **link = &rooms->bucket[i];

		while (*link) {
			struct room *room = *link;

			if (room->nseats || room->nwaiting || room->queued || now_s - room->empty_s < STAY_S) {
				link = &room->next;
				continue;
			}
			*link = room->next;
			rooms->count--;
			mem_free(room);
		}
	}
}

size_t rooms_count(const struct rooms *rooms)
{
	return rooms->count;
}

size_t room_member_count(const struct room *room, const struct id *member)
{
	size_t n = 0;

	for (size_t i = 0; i < room->nseats; i++)
		n += id_eq(&room->seats[i].hearing.member, member);
	for (size_t i = 0; i < room->nwaiting; i++)
		n += id_eq(&room->waiting[i].ticket.hearing.member, member);
	return n;
}

/* --- coming and going */

static void take_seat(struct room *room, struct client *client, const struct ticket *ticket, int64_t position)
{
	if (room->nseats == room->seats_cap) {
		room->seats_cap = room->seats_cap ? room->seats_cap * 2 : 4;
		room->seats = mem_grow(room, room->seats, struct seat, room->seats_cap);
	}
	room->seats[room->nseats] = (struct seat){ .client = client, .position = position, .hearing = ticket->hearing };
	client->room = room;
	client->seat = (uint32_t)room->nseats++;
}

static void send_event(struct client *client, const struct event_row *e)
{
	char text[EVENT_TEXT_MAX];
	struct frame *f = frame_new(FRAME_TEXT, text, event_write(e, text));

	client_send(client, f);
	frame_put(f);
}

static void replay(struct room *room, struct seat *seat)
{
	int64_t from = ring_after(&room->ring, seat->position);

	for (size_t i = (size_t)from; i < room->ring.count; i++)
		if (hears(&seat->hearing, ring_at(&room->ring, i)))
			send_event(seat->client, ring_at(&room->ring, i));
	seat->position = room->last;
}

/*
 * The position a watcher begins at; *resync when what it missed cannot be told. `last` is what the streams say and the
 * ticket's position what the database said a moment ago; the streams come a little later, or begin anew after a loss.
 */
static int64_t begin_at(const struct room *room, const struct ticket *t, int64_t since, bool *resync)
{
	int64_t newest = room->last > t->position ? room->last : t->position;

	*resync = false;
	if (since < 0)
		return room->last ? room->last : t->position;
	if (since >= room->last) {
		*resync = since > newest || (!room->last && since < t->position);
		return *resync ? newest : since;
	}
	*resync = ring_after(&room->ring, since) < 0;
	return *resync ? room->last : since;
}

static void seat_client(struct room *room, struct client *client, const struct ticket *ticket, int64_t since)
{
	bool resync;
	int64_t position = begin_at(room, ticket, since, &resync);
	struct seat *seat;

	take_seat(room, client, ticket, position);
	if (!room->last)
		room->last = ticket->position;
	room->rooms->live->stats.resyncs += resync;
	client_open(client, position, resync);
	seat = &room->seats[client->seat];
	if (seat->position < room->last)
		replay(room, seat);
}

void room_enter(struct room *room, struct client *client, const struct ticket *ticket, int64_t since)
{
	if (room->ready) {
		seat_client(room, client, ticket, since);
		return;
	}
	if (room->nwaiting == room->waiting_cap) {
		room->waiting_cap = room->waiting_cap ? room->waiting_cap * 2 : 4;
		room->waiting = mem_grow(room, room->waiting, struct waiting, room->waiting_cap);
	}
	room->waiting[room->nwaiting++] = (struct waiting){ .client = client, .ticket = *ticket, .since = since };
	client->room = room;
	client->state = CLIENT_WAITING;
}

static void leave_waiting(struct room *room, const struct client *client)
{
	for (size_t i = 0; i < room->nwaiting; i++) {
		if (room->waiting[i].client != client)
			continue;
		room->waiting[i] = room->waiting[--room->nwaiting];
		return;
	}
}

void room_leave(struct client *client)
{
	struct room *room = client->room;

	if (!room)
		return;
	client->room = NULL;
	if (client->seat < room->nseats && room->seats[client->seat].client == client) {
		room->seats[client->seat] = room->seats[--room->nseats];
		room->seats[client->seat].client->seat = client->seat;
	} else {
		leave_waiting(room, client);
	}
	if (!room->nseats && !room->nwaiting)
		room->empty_s = live_now_s();
}

static void seat_waiting(struct room *room)
{
	struct waiting *waiting = room->waiting;
	size_t n = room->nwaiting;

	room->waiting = NULL;
	room->nwaiting = room->waiting_cap = 0;
	for (size_t i = 0; i < n; i++)
		if (waiting[i].client->state == CLIENT_WAITING)
			seat_client(room, waiting[i].client, &waiting[i].ticket, waiting[i].since);
	mem_free(waiting);
}

/* --- what Redis says */

/* Everybody who has not seen `position` loads anew, and goes on from there. */
static void resync_all(struct room *room, int64_t position, bool back)
{
	for (size_t i = 0; i < room->nseats; i++) {
		struct seat *seat = &room->seats[i];

		if (seat->position >= position && !back)
			continue;
		seat->position = position;
		if (seat->client->state != CLIENT_OPEN)
			continue;
		room->rooms->live->stats.resyncs++;
		client_send(seat->client, room->rooms->resync);
	}
}

void room_event(struct room *room, const struct event_row *e)
{
	struct live_stats *stats = &room->rooms->live->stats;
	struct frame *f = NULL;
	char text[EVENT_TEXT_MAX];

	if (e->position <= room->last)
		return;
	if (room->last && e->position != room->last + 1)
		resync_all(room, e->position - 1, false);
	ring_push(&room->ring, room, e);
	room->last = e->position;
	room->back_s = 0;
	stats->events++;
	for (size_t i = 0; i < room->nseats; i++) {
		struct seat *seat = &room->seats[i];

		if (e->position <= seat->position)
			continue;
		seat->position = e->position;
		if (!hears(&seat->hearing, e) || seat->client->state != CLIENT_OPEN)
			continue;
		if (!f)
			f = frame_new(FRAME_TEXT, text, event_write(e, text));
		stats->frames++;
		client_send(seat->client, f);
	}
	frame_put(f);
}

static void start_at(struct room *room, const struct event_row *rows, size_t n)
{
	ring_clear(&room->ring);
	for (size_t i = 0; i < n; i++)
		ring_push(&room->ring, room, &rows[i]);
	room->last = n ? rows[n - 1].position : 0;
}

/* The stream is gone or shorter, and with it perhaps what nobody had read yet. */
static void went_back(struct room *room, const struct event_row *rows, size_t n)
{
	int64_t now_s = live_now_s();

	if (!room->back_s) {
		room->back_s = now_s;
		resync_all(room, room->last, true);
	} else if (n && now_s - room->back_s >= BACK_S) {
		log_warn("an organization's events go on from a lower position than before", NULL);
		room->back_s = 0;
		start_at(room, rows, n);
		resync_all(room, room->last, true);
	}
}

void room_fill(struct room *room, const struct event_row *rows, size_t n)
{
	int64_t newest = n ? rows[n - 1].position : 0;

	room->check = false;
	if (!room->ready) {
		room->ready = true;
		start_at(room, rows, n);
		seat_waiting(room);
		return;
	}
	if (newest < room->last) {
		went_back(room, rows, n);
		return;
	}
	room->back_s = 0;
	for (size_t i = 0; i < n; i++)
		room_event(room, &rows[i]);
}
