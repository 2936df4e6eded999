/*
 * What is read from Redis: new events of organizations that have a room, the newest ones of a room that is to be filled or
 * looked at, and who was signed out. A room to be asked about stands in a list of work; one question about it is under way at
 * most, and one XREAD in all, which takes up what changed while the one before was on its way.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "live/client.h"
#include "live/feed_private.h"

#define CONTROL "live:control"
#define STREAM "live:"
#define STREAM_LEN (sizeof(STREAM) - 1 + UUID_TEXT)
#define COUNT_A_READ 512
#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)

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
	feed_pump(feed);
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
	feed_pump(feed);
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
	feed_pump(feed);
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
	feed_pump(feed);
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

void feed_pump(struct feed *feed)
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
	feed_pump(feed);
}

/* --- what changed */

void feed_key_changed(struct feed *feed, const char *key)
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

void feed_look_at_all(struct feed *feed)
{
	feed->control_dirty = true;
	rooms_each(feed->live->rooms, look_again, feed);
}
