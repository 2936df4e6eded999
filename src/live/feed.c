/*
 * How events arrive. Ten thousand organizations must cost neither ten thousand connections nor a blocking read that names ten
 * thousand streams again for each event. So Redis itself says which streams grew: client tracking in broadcast mode sends
 * the names of changed keys that begin like an organization's stream or the control stream (live:0 … live:f) to one
 * connection, the ear; what is new in them is read over the other, by one XREAD for all that changed meanwhile. Redis batches
 * the names, so a burst is one message and one read.
 *
 * Whether both connections still live is asked every few seconds by a message to ourselves that must come back through the
 * ear; a lost Redis is dialled again with growing pauses. Clients stay meanwhile. Afterwards each room's stream is looked
 * at anew, and room.c decides who is told to resync. The control stream is read from its beginning each time: it is short,
 * and closing twice closes once.
 */
#include "live/feed.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "live/client.h"
#include "live/revoked.h"
#include "redis/async.h"

#define CONTROL "live:control"
#define STREAM "live:"
#define STREAM_LEN (sizeof(STREAM) - 1 + UUID_TEXT)
#define ROOMS_A_READ 64
#define COUNT_A_READ 512
#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)
#define BEAT_S 5
#define DIAL_FIRST_MS 100
#define DIAL_MOST_MS 3000
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

/* A ticket asked for. */
struct question {
	struct client *client; /* NULL: gone meanwhile */
};

static void feed_lost(struct feed *feed, const char *why);
static void pump(struct feed *feed);

/* --- lines */

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct line *line = arg;

	(void)fd;
	if (what & EV_READ)
		redis_async_readable(line->redis);
	if (what & EV_WRITE)
		redis_async_writable(line->redis);
}

static void line_watch(void *arg, int fd, bool read, bool write)
{
	struct line *line = arg;

	if (line->watched)
		event_del(&line->event);
	line->watched = read || write;
	if (!line->watched)
		return;
	event_assign(&line->event, line->feed->live->base, fd,
		(short)((read ? EV_READ : 0) | (write ? EV_WRITE : 0) | EV_PERSIST), on_ready, line);
	event_add(&line->event, NULL);
}

/* --- rooms */

static void stream_key(const struct id *organization, char key[STREAM_LEN])
{
	memcpy(key, STREAM, sizeof(STREAM) - 1);
	id_write(organization, key + sizeof(STREAM) - 1);
}

static struct room *room_of_key(struct feed *feed, const char *key)
{
	struct id id;

	return key && str_starts(key, STREAM) && id_read(key + sizeof(STREAM) - 1, &id) ? room_find(feed->live->rooms, &id) : NULL;
}

static const char *field_of(const struct redis_value *fields, const char *name)
{
	for (size_t i = 0; i + 1 < redis_items(fields); i += 2) {
		if (str_eq(redis_text(redis_item(fields, i), NULL), name))
			return redis_text(redis_item(fields, i + 1), NULL);
	}
	return NULL;
}

static bool read_entry(const struct redis_value *entry, struct event_row *e)
{
	const struct redis_value *fields = redis_item(entry, 1);
	const char *id = redis_text(redis_item(entry, 0), NULL);

	if (event_read(e, id, field_of(fields, "noun"), field_of(fields, "id"), field_of(fields, "topic")))
		return true;
	log_warn("an entry of a stream is not understood", "entry", id ? id : "", NULL);
	return false;
}

static void work_add(struct feed *feed, struct room *room)
{
	if (room->queued)
		return;
	room->queued = true;
	room->next_work = feed->work;
	feed->work = room;
}

static void mark(struct feed *feed, struct room *room)
{
	if (!room->dirty)
		room->dirty_us = clock_monotonic_us();
	room->dirty = true;
	work_add(feed, room);
}

static void count_lag(struct feed *feed, const struct room *room)
{
	struct live_stats *stats = &feed->live->stats;
	int64_t us = clock_monotonic_us() - room->dirty_us;

	stats->lag_us += us;
	stats->lag_count++;
	if (us > stats->lag_most_us)
		stats->lag_most_us = us;
}

/* --- what is new */

static void take_stream(struct feed *feed, const struct redis_value *stream)
{
	struct room *room = room_of_key(feed, redis_text(redis_item(stream, 0), NULL));
	const struct redis_value *entries = redis_item(stream, 1);
	struct event_row e;

	if (!room)
		return;
	room->asked = false;
	for (size_t i = 0; i < redis_items(entries); i++)
		if (read_entry(redis_item(entries, i), &e))
			room_event(room, &e);
	count_lag(feed, room);
	if (redis_items(entries) >= COUNT_A_READ)
		mark(feed, room);
	else if (room->dirty)
		work_add(feed, room);
}

static void on_events(void *arg, const struct redis_value *v)
{
	struct feed *feed = arg;

	feed->reading = false;
	if (!v)
		return;
	if (redis_kind_of(v) == REDIS_ERROR) {
		feed_lost(feed, redis_text(v, NULL));
		return;
	}
	for (size_t i = 0; i < redis_items(v); i++)
		take_stream(feed, redis_item(v, i));
	/* What had nothing new was trimmed, deleted, or read already by the time before: to be looked at. */
	for (size_t i = 0; i < feed->nbatch; i++) {
		struct room *room = room_find(feed->live->rooms, &feed->batch[i]);

		if (!room || !room->asked)
			continue;
		room->asked = false;
		room->check = true;
		work_add(feed, room);
	}
	pump(feed);
}

static void read_batch(struct feed *feed)
{
	const char *argv[4 + 2 * ROOMS_A_READ] = { "XREAD", "COUNT", TEXT_OF(COUNT_A_READ), "STREAMS" };
	char keys[ROOMS_A_READ][STREAM_LEN], from[ROOMS_A_READ][ENTRY_ID];
	int n = (int)feed->nbatch;

	for (int i = 0; i < n; i++) {
		const struct room *room = room_find(feed->live->rooms, &feed->batch[i]);

		stream_key(&feed->batch[i], keys[i]);
		snprintf(from[i], ENTRY_ID, "%lld-0", (long long)(room ? room->last : 0));
		argv[4 + i] = keys[i];
		argv[4 + n + i] = from[i];
	}
	feed->reading = redis_async_send(feed->talk.redis, on_events, feed, 4 + 2 * n, argv);
}

/* --- filling a new room, and looking whether an old one's stream is what it was */

static struct room *take_answer(struct feed *feed, struct id *id, const struct redis_value *v)
{
	struct room *room = v ? room_find(feed->live->rooms, id) : NULL;

	mem_free(id);
	if (v && redis_kind_of(v) == REDIS_ERROR) {
		feed_lost(feed, redis_text(v, NULL));
		return NULL;
	}
	if (room)
		room->asked = false;
	return room;
}

static void on_all(void *arg, const struct redis_value *v)
{
	struct feed *feed = talloc_parent(arg);
	struct room *room = take_answer(feed, arg, v);
	size_t n = redis_items(v), kept = n;
	struct event_row *rows;

	if (!room)
		return;
	rows = mem_array(feed, struct event_row, n + 1);
	/* They come newest first; kept as far back as there is no gap. */
	for (size_t i = 0; i < n; i++) {
		struct event_row *e = &rows[kept - 1];

		if (!read_entry(redis_item(v, i), e) || (kept < n && e->position + 1 != e[1].position))
			break;
		kept--;
	}
	room_fill(room, rows + kept, n - kept);
	mem_free(rows);
	if (room->dirty)
		work_add(feed, room);
	pump(feed);
}

static void ask_room(struct feed *feed, struct room *room, bool all);

/* Most often the newest entry is the one we know. */
static void on_newest(void *arg, const struct redis_value *v)
{
	struct feed *feed = talloc_parent(arg);
	struct room *room = take_answer(feed, arg, v);
	struct event_row e = { 0 };

	if (!room)
		return;
	if (redis_items(v) && read_entry(redis_item(v, 0), &e) && e.position >= room->last) {
		room->check = false;
		if (e.position > room->last)
			mark(feed, room);
		else if (room->dirty)
			work_add(feed, room);
	} else {
		ask_room(feed, room, true);
	}
	pump(feed);
}

static void ask_room(struct feed *feed, struct room *room, bool all)
{
	char key[STREAM_LEN], count[24] = "1";
	const char *const argv[] = { "XREVRANGE", key, "+", "-", "COUNT", count };
	struct id *id = mem_new(feed, struct id);

	*id = room->organization;
	stream_key(id, key);
	if (all)
		snprintf(count, sizeof(count), "%lld", (long long)feed->live->conf->live_ring);
	room->asked = redis_async_send(feed->talk.redis, all ? on_all : on_newest, id, 6, argv);
	if (!room->asked)
		mem_free(id);
}

/* --- who was signed out */

static void take_control(struct feed *feed, const struct redis_value *entry)
{
	const char *at = redis_text(redis_item(entry, 0), NULL);
	struct id credential;

	if (at)
		snprintf(feed->control_at, sizeof(feed->control_at), "%s", at);
	if (!id_read(field_of(redis_item(entry, 1), "credential"), &credential)) {
		log_warn("an entry of the control stream is not understood", "entry", at ? at : "", NULL);
		return;
	}
	if (revoked_has(feed->revoked, &credential))
		return;
	revoked_add(feed->revoked, &credential);
	clients_close_credential(feed->live, &credential);
}

static void on_control(void *arg, const struct redis_value *v)
{
	struct feed *feed = arg;
	const struct redis_value *entries = redis_item(redis_item(v, 0), 1);

	feed->control_reading = false;
	if (!v)
		return;
	if (redis_kind_of(v) == REDIS_ERROR) {
		feed_lost(feed, redis_text(v, NULL));
		return;
	}
	for (size_t i = 0; i < redis_items(entries); i++)
		take_control(feed, redis_item(entries, i));
	if (redis_items(entries))
		feed->control_dirty = true; /* until there is nothing behind the last one */
	pump(feed);
}

static void pump_control(struct feed *feed)
{
	const char *const argv[] = { "XREAD", "COUNT", "1000", "STREAMS", CONTROL, feed->control_at };

	if (!feed->control_dirty || feed->control_reading)
		return;
	feed->control_dirty = false;
	feed->control_reading = redis_async_send(feed->talk.redis, on_control, feed, 6, argv);
}

bool feed_is_revoked(const struct feed *feed, const struct id *credential)
{
	return revoked_has(feed->revoked, credential);
}

/* --- asking */

static void pump(struct feed *feed)
{
	struct room *todo = feed->work;
	bool busy = feed->reading;

	if (feed->state != FEED_UP)
		return;
	pump_control(feed);
	feed->work = NULL;
	if (!busy)
		feed->nbatch = 0;
	while (todo) {
		struct room *room = todo;

		todo = room->next_work;
		room->queued = false;
		if (room->asked)
			continue; /* its answer comes back to this */
		if (!room->ready || room->check) {
			ask_room(feed, room, !room->ready);
		} else if (room->dirty && !busy && feed->nbatch < ROOMS_A_READ) {
			room->dirty = false;
			room->asked = true;
			feed->batch[feed->nbatch++] = room->organization;
		} else if (room->dirty) {
			work_add(feed, room);
		}
	}
	if (!busy && feed->nbatch)
		read_batch(feed);
}

void feed_wake(struct feed *feed, struct room *room)
{
	work_add(feed, room);
	pump(feed);
}

/* --- what Redis says by itself */

static void key_changed(struct feed *feed, const char *key)
{
	struct room *room;

	if (str_eq(key, CONTROL)) {
		feed->control_dirty = true;
		return;
	}
	room = room_of_key(feed, key);
	if (room)
		mark(feed, room);
}

static void look_again(struct room *room, void *arg)
{
	room->asked = false;
	room->check = true;
	work_add(arg, room);
}

static void look_at_all(struct feed *feed)
{
	feed->control_dirty = true;
	rooms_each(feed->live->rooms, look_again, feed);
}

static void on_tracking(void *arg, const struct redis_value *v)
{
	struct feed *feed = arg;

	if (!v)
		return;
	if (redis_kind_of(v) == REDIS_ERROR) {
		feed_lost(feed, redis_text(v, NULL));
		return;
	}
	feed->state = FEED_UP;
	feed->live->feed_up = true;
	feed->dial_ms = DIAL_FIRST_MS;
	feed->beat_s = 0;
	feed->reading = feed->control_reading = false;
	snprintf(feed->control_at, sizeof(feed->control_at), "0-0");
	log_info(feed->said ? "redis is back" : "redis is there", NULL);
	feed->said = false;
	look_at_all(feed);
	pump(feed);
}

static void track(struct feed *feed)
{
	static const char *const prefixes[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f" };
	const char *argv[6 + 2 * 16] = { "CLIENT", "TRACKING", "ON", "REDIRECT", feed->ear_id, "BCAST" };
	char text[16][8];
	int n = 6;

	for (size_t i = 0; i < 16; i++) {
		snprintf(text[i], sizeof(text[i]), "live:%s", prefixes[i]);
		argv[n++] = "PREFIX";
		argv[n++] = text[i];
	}
	redis_async_send(feed->talk.redis, on_tracking, feed, n, argv);
}

static void on_heard(void *arg, const struct redis_value *v)
{
	struct feed *feed = arg;
	const char *kind = redis_text(redis_item(v, 0), NULL), *channel = redis_text(redis_item(v, 1), NULL);
	const struct redis_value *keys = redis_item(v, 2);

	if (redis_kind_of(v) == REDIS_ERROR) {
		feed_lost(feed, redis_text(v, NULL));
	} else if (str_eq(kind, "subscribe")) {
		if (redis_int(keys) == 2) /* to both */
			track(feed);
	} else if (str_eq(channel, feed->channel)) {
		feed->beat_s = 0;
	} else if (redis_kind_of(keys) == REDIS_NIL) {
		look_at_all(feed); /* the whole database was emptied */
	} else {
		for (size_t i = 0; i < redis_items(keys); i++)
			key_changed(feed, redis_text(redis_item(keys, i), NULL));
	}
	pump(feed);
}

static void on_ear_id(void *arg, const struct redis_value *v)
{
	struct feed *feed = arg;
	const char *const argv[] = { "SUBSCRIBE", "__redis__:invalidate", feed->channel };

	if (!v)
		return;
	if (redis_kind_of(v) != REDIS_INT) {
		feed_lost(feed, redis_text(v, NULL));
		return;
	}
	snprintf(feed->ear_id, sizeof(feed->ear_id), "%lld", (long long)redis_int(v));
	redis_async_send(feed->ear.redis, on_heard, feed, 3, argv);
}

/* --- coming and going of Redis */

static void line_up(void *arg)
{
	static const char *const argv[] = { "CLIENT", "ID" };
	struct line *line = arg;
	struct feed *feed = line->feed;

	line->up = true;
	if (feed->ear.up && feed->talk.up)
		redis_async_send(feed->ear.redis, on_ear_id, feed, 2, argv);
}

static void line_down(void *arg, const char *why)
{
	struct line *line = arg;

	line->up = false;
	feed_lost(line->feed, why);
}

static void feed_lost(struct feed *feed, const char *why)
{
	struct timeval pause;
	int64_t ms = feed->dial_ms + clock_monotonic_us() % (feed->dial_ms / 2 + 1);

	if (feed->state == FEED_DOWN)
		return;
	if (feed->state == FEED_UP)
		feed->live->stats.feed_losses++;
	if (!feed->said)
		log_warn("redis is away", "why", why ? why : "", NULL);
	feed->said = true;
	feed->state = FEED_DOWN;
	feed->live->feed_up = false;
	feed->ear.up = feed->talk.up = false;
	redis_async_close(feed->ear.redis);
	redis_async_close(feed->talk.redis);
	pause = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	event_add(feed->dial, &pause);
	feed->dial_ms = feed->dial_ms * 2 > DIAL_MOST_MS ? DIAL_MOST_MS : feed->dial_ms * 2;
}

static void dial(evutil_socket_t fd, short what, void *arg)
{
	struct feed *feed = arg;
	const char *why = NULL;

	(void)fd;
	(void)what;
	feed->state = FEED_DIALLING;
	feed->since_s = live_now_s();
	if (!redis_async_connect(feed->ear.redis, &why) || !redis_async_connect(feed->talk.redis, &why))
		feed_lost(feed, why);
}

static void on_beat_sent(void *arg, const struct redis_value *v)
{
	(void)arg;
	(void)v;
}

void feed_tick(struct feed *feed)
{
	const char *const argv[] = { "PUBLISH", feed->channel, "" };
	int64_t now_s = live_now_s();

	if (feed->state == FEED_DIALLING && now_s - feed->since_s > BEAT_S)
		feed_lost(feed, "no answer while connecting");
	if (feed->state != FEED_UP)
		return;
	if (feed->beat_s && now_s - feed->beat_s > BEAT_S) {
		feed_lost(feed, "no sign of life");
	} else if (!feed->beat_s && now_s - feed->since_s >= BEAT_S) {
		feed->beat_s = feed->since_s = now_s;
		redis_async_send(feed->talk.redis, on_beat_sent, feed, 3, argv);
	}
}

/* --- tickets */

static void on_ticket(void *arg, const struct redis_value *v)
{
	struct question *q = arg;
	struct client *c = q->client;
	size_t len = 0;
	const char *json = redis_text(v, &len);
	bool away = !v || redis_kind_of(v) == REDIS_ERROR;

	mem_free(q);
	if (!c)
		return;
	c->question = NULL;
	if (c->state == CLIENT_ASKING)
		client_ticket(c, away ? NULL : json, len, away);
}

bool feed_ask_ticket(struct feed *feed, struct client *c, const char *ticket)
{
	struct question *q;
	char *key;
	bool sent;

	if (feed->state != FEED_UP)
		return false;
	q = mem_new(feed, struct question);
	key = ticket_key(q, ticket);
	q->client = c;
	sent = redis_async_send(feed->talk.redis, on_ticket, q, 2, (const char *const[]){ "GETDEL", key });
	if (sent)
		c->question = q;
	else
		mem_free(q);
	return sent;
}

void feed_forget(struct client *c)
{
	if (c->question)
		c->question->client = NULL;
	c->question = NULL;
}

/* --- */

static int feed_fini(struct feed *feed)
{
	feed->state = FEED_DOWN; /* what closing answers is not for us any more */
	redis_async_close(feed->ear.redis);
	redis_async_close(feed->talk.redis);
	event_free(feed->dial);
	return 0;
}

static void line_init(struct feed *feed, struct line *line)
{
	const struct redis_hooks hooks = { .arg = line, .watch = line_watch, .up = line_up, .down = line_down };

	*line = (struct line){ .feed = feed };
	line->redis = redis_async_new(feed, feed->live->conf->redis_url, &hooks);
}

struct feed *feed_new(void *mem, struct live *live)
{
	static const struct timeval at_once = { 0, 0 };
	struct feed *feed = mem_new(mem, struct feed);
	char unique[UUID_TEXT];

	uuid_v7(unique);
	feed->live = live;
	feed->dial_ms = DIAL_FIRST_MS;
	feed->revoked = revoked_new(feed);
	snprintf(feed->channel, sizeof(feed->channel), "live:beat:%s", unique);
	line_init(feed, &feed->ear);
	line_init(feed, &feed->talk);
	feed->dial = event_new(live->base, -1, 0, dial, feed);
	event_add(feed->dial, &at_once);
	talloc_set_destructor(feed, feed_fini);
	return feed;
}

void feed_restart(struct feed *feed)
{
	feed_lost(feed, "redis_url changed");
	mem_free(feed->ear.redis);
	mem_free(feed->talk.redis);
	line_init(feed, &feed->ear);
	line_init(feed, &feed->talk);
}
