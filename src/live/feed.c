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

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "live/client.h"
#include "live/feed_private.h"

#define BEAT_S 5
#define DIAL_FIRST_MS 100
#define DIAL_MOST_MS 3000

/* A ticket asked for. */
struct question {
	struct client *client; /* NULL: gone meanwhile */
};

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

/* --- what Redis says by itself */

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
	feed_look_at_all(feed);
	feed_pump(feed);
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
		feed_look_at_all(feed); /* the whole database was emptied */
	} else {
		for (size_t i = 0; i < redis_items(keys); i++)
			feed_key_changed(feed, redis_text(redis_item(keys, i), NULL));
	}
	feed_pump(feed);
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

void feed_lost(struct feed *feed, const char *why)
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
	line->redis = redis_async_new(feed, feed->live->conf->redis_url, feed->live->conf->redis_password, &hooks);
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
