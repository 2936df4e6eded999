/*
 * A client's life: head -> ticket -> room -> open -> closing -> gone. One function moves it to each state; those before it is
 * open are in opening.c.
 *
 * Silent clients are what there is most of, so one costs a struct and a descriptor and nothing else: buffers for its request,
 * for a frame in pieces and for what it has not taken yet exist only while they are needed. What is sent goes into the
 * socket at once; only what does not fit waits, up to a bound, and then the client goes and not the others' time.
 *
 * Time is a wheel of one-second slots: whoever is due in this second is looked at, nobody else.
 */
#include "live/client_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "live/feed.h"

#define SLOTS 64
#define OPENING_S 10 /* for all of the handshake */
#define CLOSING_S 3  /* for the last bytes */
#define PING_SPREAD_S 5
#define READ_MAX 16384
#define WRITE_PARTS 64
#define US_PER_S INT64_C(1000000)

struct clients {
	struct client *slot[SLOTS];
	struct client *gone;
	struct event *bury;
	int64_t ticked_s;
	size_t count;
	struct frame *ping, *pong_text;
};

/* Frames that did not fit into the socket, oldest first; of the first, `at` bytes are sent. */
struct outbox {
	struct event event; /* writable */
	struct frame **frames;
	size_t count, cap, at, bytes;
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void bury(evutil_socket_t fd, short what, void *arg);

static int clients_fini(struct clients *all)
{
	event_free(all->bury);
	frame_put(all->ping);
	frame_put(all->pong_text);
	return 0;
}

struct clients *clients_new(void *mem, struct live *live)
{
	static const char pong[] = "{\"pong\":true}";
	struct clients *all = mem_new(mem, struct clients);

	all->bury = event_new(live->base, -1, 0, bury, live);
	all->ping = frame_new(FRAME_PING, "", 0);
	all->pong_text = frame_new(FRAME_TEXT, pong, strlen(pong));
	all->ticked_s = live_now_s();
	talloc_set_destructor(all, clients_fini);
	return all;
}

size_t clients_count(const struct live *live)
{
	return live->clients->count;
}

/* --- when it is looked at again */

static void unlist(struct client *c)
{
	if (!c->link)
		return;
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	c->link = NULL;
	c->next = NULL;
}

static void list_in(struct client *c, struct client **list)
{
	unlist(c);
	c->next = *list;
	c->link = list;
	if (c->next)
		c->next->link = &c->next;
	*list = c;
}

static void due_in(struct client *c, int64_t s)
{
	c->due_s = live_now_s() + (s < 1 ? 1 : s >= SLOTS ? SLOTS - 1 : s);
	list_in(c, &c->live->clients->slot[c->due_s % SLOTS]);
}

/* The next ping, or the end of its session when that comes first. Pings are spread, or all would fall together. */
void client_due_for_ping(struct client *c)
{
	int64_t ping_s = c->live->conf->live_ping_s + c->fd % (PING_SPREAD_S + 1);
	int64_t left_s = c->expires_s - clock_now_us() / US_PER_S;

	due_in(c, left_s < ping_s ? left_s : ping_s);
}

/* --- going */

static void outbox_free(struct client *c)
{
	struct outbox *out = c->out;

	if (!out)
		return;
	event_del(&out->event);
	for (size_t i = 0; i < out->count; i++)
		frame_put(out->frames[i]);
	mem_free(out);
	c->out = NULL;
}

static void client_gone(struct client *c)
{
	if (c->state == CLIENT_GONE)
		return;
	if (c->expires_s) {
		c->live->stats.connections--;
		c->live->stats.closed++;
	}
	c->state = CLIENT_GONE;
	event_del(&c->event);
	list_in(c, &c->live->clients->gone);
	event_active(c->live->clients->bury, 0, 0);
}

static void bury(evutil_socket_t fd, short what, void *arg)
{
	struct live *live = arg;
	struct client *c;

	(void)fd;
	(void)what;
	while ((c = live->clients->gone)) {
		unlist(c);
		outbox_free(c);
		feed_forget(c);
		room_leave(c);
		close(c->fd);
		live->clients->count--;
		mem_free(c);
	}
}

/* No more is read for use; what is to be sent is sent, then the other side may hang up. */
void client_closing(struct client *c)
{
	c->state = CLIENT_CLOSING;
	mem_free(c->inbox);
	c->inbox = NULL;
	due_in(c, CLOSING_S);
	if (!c->out)
		shutdown(c->fd, SHUT_WR);
}

/* --- sending */

static void outbox_add(struct client *c, struct frame *f, size_t sent)
{
	struct outbox *out = c->out;

	if (!out) {
		out = c->out = mem_new(c, struct outbox);
		event_assign(&out->event, c->live->base, c->fd, EV_WRITE | EV_PERSIST, on_writable, c);
		event_add(&out->event, NULL);
		out->at = sent;
	}
	if (out->count == out->cap) {
		out->cap = out->cap ? out->cap * 2 : 4;
		out->frames = mem_grow(out, out->frames, struct frame *, out->cap);
	}
	out->frames[out->count++] = frame_get(f);
	out->bytes += f->len - sent;
}

/* Keeps the frame that is half sent and drops the rest: the word of farewell must still be understood. */
static void outbox_drop(struct client *c)
{
	struct outbox *out = c->out;
	size_t kept = out->at ? 1 : 0;

	for (size_t i = kept; i < out->count; i++)
		frame_put(out->frames[i]);
	out->count = kept;
	out->bytes = kept ? out->frames[0]->len - out->at : 0;
}

void client_put(struct client *c, struct frame *f)
{
	ssize_t n = 0;

	if (!c->out) {
		n = send(c->fd, f->data, f->len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
			client_gone(c);
			return;
		}
		n = n < 0 ? 0 : n;
	}
	if ((size_t)n < f->len)
		outbox_add(c, f, (size_t)n);
}

static void farewell(struct client *c, int code, const char *reason)
{
	struct frame *f = frame_close(code, reason);

	client_put(c, f);
	frame_put(f);
	if (c->state != CLIENT_GONE)
		client_closing(c);
}

void client_send(struct client *c, struct frame *f)
{
	if (c->state != CLIENT_OPEN)
		return;
	client_put(c, f);
	if (c->state != CLIENT_OPEN || !c->out || c->out->bytes <= (size_t)c->live->conf->live_backlog_kb * 1024)
		return;
	c->live->stats.dropped++;
	outbox_drop(c);
	farewell(c, CLOSE_TRY_LATER, "too slow; come back");
}

void client_close(struct client *c, int code, const char *reason)
{
	if (c->state == CLIENT_OPEN)
		farewell(c, code, reason);
	else if (c->state < CLIENT_OPEN)
		client_refuse(c, 503, "the service is being restarted");
}

static void outbox_sent(struct client *c, size_t n)
{
	struct outbox *out = c->out;
	size_t whole = 0;

	out->bytes -= n;
	n += out->at;
	while (whole < out->count && n >= out->frames[whole]->len) {
		n -= out->frames[whole]->len;
		frame_put(out->frames[whole++]);
	}
	memmove(out->frames, out->frames + whole, (out->count - whole) * sizeof(struct frame *));
	out->count -= whole;
	out->at = n;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	struct outbox *out = c->out;
	struct iovec parts[WRITE_PARTS];
	struct msghdr msg = { .msg_iov = parts };
	ssize_t n;

	(void)what;
	if (c->state == CLIENT_GONE)
		return;
	for (; msg.msg_iovlen < out->count && msg.msg_iovlen < WRITE_PARTS; msg.msg_iovlen++) {
		struct frame *f = out->frames[msg.msg_iovlen];
		size_t at = msg.msg_iovlen ? 0 : out->at;

		parts[msg.msg_iovlen] = (struct iovec){ f->data + at, f->len - at };
	}
	n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
		client_gone(c);
		return;
	}
	outbox_sent(c, n > 0 ? (size_t)n : 0);
	if (out->count)
		return;
	outbox_free(c);
	if (c->state == CLIENT_CLOSING)
		shutdown(c->fd, SHUT_WR);
}

/* --- what an open one sends */

static int on_frame(void *arg, enum frame_kind kind, const char *payload, size_t len)
{
	struct client *c = arg;
	struct frame *f;

	switch (kind) {
	case FRAME_PONG:
		return 0;
	case FRAME_PING:
		f = frame_new(FRAME_PONG, payload, len);
		client_send(c, f);
		frame_put(f);
		return 0;
	case FRAME_TEXT:
		if (len != 4 || memcmp(payload, "ping", 4) != 0)
			return CLOSE_POLICY;
		client_send(c, c->live->clients->pong_text);
		return 0;
	default:
		return len == 1 ? CLOSE_PROTOCOL : -1; /* a close: said back as 1000 */
	}
}

static void read_frames(struct client *c, const char *data, size_t len)
{
	int code = inbox_feed(&c->inbox, c, data, len, on_frame, c);

	c->silent = false;
	if (c->state != CLIENT_OPEN || !code)
		return;
	if (code < 0)
		client_close(c, 1000, "");
	else
		client_close(c, code, code == CLOSE_POLICY ? "nothing but ping is understood here" : "not a frame of a client");
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	static char data[READ_MAX];
	struct client *c = arg;
	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0) {
		client_gone(c);
		return;
	}
	if (c->state == CLIENT_HEAD)
		client_read_head(c, data, (size_t)n);
	else if (c->state == CLIENT_OPEN)
		read_frames(c, data, (size_t)n);
	else if (c->state != CLIENT_CLOSING)
		client_refuse(c, 400, "nothing may be sent before the answer");
}

void client_accept(struct live *live, int fd)
{
	struct client *c = mem_new(live->clients, struct client);

	c->live = live;
	c->fd = fd;
	live->clients->count++;
	event_assign(&c->event, live->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	event_add(&c->event, NULL);
	if (live->clients->count > (size_t)live->conf->live_clients || live->stopping) {
		client_refuse(c, 503, "too many sockets are open");
		return;
	}
	c->opening = mem_new(c, struct opening);
	due_in(c, OPENING_S);
}

/* --- time */

static void due_open(struct client *c)
{
	if (c->expires_s <= clock_now_us() / US_PER_S) {
		c->live->stats.expired++;
		client_close(c, CLOSE_SIGNED_OUT, "the session ended");
	} else if (c->silent) {
		c->live->stats.lost++;
		client_gone(c);
	} else {
		c->silent = true;
		client_due_for_ping(c);
		client_send(c, c->live->clients->ping);
	}
}

static void due(struct client *c)
{
	switch (c->state) {
	case CLIENT_HEAD:
		client_refuse(c, 408, "the request took too long");
		break;
	case CLIENT_ASKING:
	case CLIENT_WAITING:
		client_refuse(c, 503, "live updates are away for a moment");
		break;
	case CLIENT_OPEN:
		due_open(c);
		break;
	default:
		client_gone(c);
	}
}

void clients_tick(struct live *live)
{
	struct clients *all = live->clients;
	int64_t now_s = live_now_s();

	if (now_s - all->ticked_s >= SLOTS)
		all->ticked_s = now_s - SLOTS + 1;
	while (all->ticked_s < now_s) {
		struct client **slot = &all->slot[++all->ticked_s % SLOTS];

		/* Whoever is due goes elsewhere: into a later slot, or among the gone. */
		while (*slot && (*slot)->due_s <= now_s)
			due(*slot);
	}
}

static void each_open(struct live *live, const struct id *credential, int code, const char *reason)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct client *next;

		for (struct client *c = live->clients->slot[i]; c; c = next) {
			next = c->next;
			if (credential && (!c->expires_s || !id_eq(&c->credential, credential) || c->state == CLIENT_CLOSING))
				continue;
			live->stats.signed_out += credential != NULL;
			if (credential && c->state < CLIENT_OPEN)
				client_refuse(c, 403, "signed out meanwhile");
			else
				client_close(c, code, reason);
		}
	}
}

void clients_free(struct live *live)
{
	for (size_t i = 0; i < SLOTS; i++)
		while (live->clients->slot[i])
			client_gone(live->clients->slot[i]);
	bury(-1, 0, live);
	mem_free(live->clients);
	live->clients = NULL;
}

void clients_close_credential(struct live *live, const struct id *credential)
{
	each_open(live, credential, CLOSE_SIGNED_OUT, "signed out");
}

void clients_close_all(struct live *live, int code, const char *reason)
{
	each_open(live, NULL, code, reason);
}
