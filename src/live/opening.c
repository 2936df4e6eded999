/*
 * A client until it is open: its request, its ticket, its room, and the answer: 101 with the greeting, or a refusal as HTTP
 * has it, with a problem document that says why.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "live/client_private.h"
#include "live/feed.h"

#define US_PER_S INT64_C(1000000)

static const char *status_text(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 426:
		return "Upgrade Required";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	default:
		return "Bad Request";
	}
}

static const char *status_headers(int status)
{
	switch (status) {
	case 405:
		return "Allow: GET\r\n";
	case 426:
		return "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
	case 429:
	case 503:
		return "Retry-After: 5\r\n";
	default:
		return "";
	}
}

static void answer_http(struct client *c, int status, const char *type, const char *body)
{
	char *text = mem_printf(c, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
				   "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n%s",
		status, status_text(status), type, strlen(body), status_headers(status), body);
	struct frame *f = frame_raw(text, strlen(text));

	client_put(c, f);
	frame_put(f);
	mem_free(text);
	if (c->state != CLIENT_GONE)
		client_closing(c);
}

void client_refuse(struct client *c, int status, const char *why)
{
	char *body = mem_printf(c, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}\n",
		status_text(status), status, why);

	c->live->stats.refused++;
	answer_http(c, status, "application/problem+json", body);
	mem_free(body);
}

static void answer_metrics(struct client *c)
{
	struct buf out;

	buf_init(&out, c);
	live_metrics(c->live, &out);
	answer_http(c, 200, "text/plain; version=0.0.4; charset=utf-8", out.data);
}

static void ask_ticket(struct client *c, const struct handshake *h)
{
	memcpy(c->opening->accept, h->accept, sizeof(h->accept));
	c->opening->since = h->since;
	c->state = CLIENT_ASKING;
	if (!feed_ask_ticket(c->live->feed, c, h->ticket))
		client_ticket(c, NULL, 0, true);
}

void client_ticket(struct client *c, const char *json, size_t len, bool away)
{
	struct live *live = c->live;
	struct ticket t;
	struct room *room;

	if (away) {
		client_refuse(c, 503, "live updates are away for a moment");
		return;
	}
	if (!json || !ticket_read(json, len, &t) || t.expires_s <= clock_now_us() / US_PER_S ||
		feed_is_revoked(live->feed, &t.credential)) {
		client_refuse(c, 403, "this ticket was used, is too old, or never was one; ask for another");
		return;
	}
	room = room_get(live->rooms, &t.organization);
	if (room_member_count(room, &t.hearing.member) >= (size_t)live->conf->live_member_clients) {
		client_refuse(c, 429, "this member has too many sockets open");
		return;
	}
	c->credential = t.credential;
	c->expires_s = t.expires_s;
	live->stats.connections++;
	live->stats.opened++;
	room_enter(room, c, &t, c->opening->since);
	if (!room->ready)
		feed_wake(live->feed, room);
}

/* Answer, greeting and perhaps resync in one write. */
void client_open(struct client *c, int64_t position, bool resync)
{
	static const char again[] = "{\"resync\":true}";
	char *text = mem_printf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
				   "Sec-WebSocket-Accept: %s\r\n\r\n",
		c->opening->accept);
	char *hello = mem_printf(c, "{\"position\":%lld,\"hello\":1}", (long long)position);
	struct frame *parts[] = { frame_raw(text, strlen(text)), frame_new(FRAME_TEXT, hello, strlen(hello)),
		frame_new(FRAME_TEXT, again, strlen(again)) };
	struct buf all;
	struct frame *f;

	buf_init(&all, c);
	for (int i = 0; i < 3; i++) {
		if (i < 2 || resync)
			buf_add(&all, parts[i]->data, parts[i]->len);
		frame_put(parts[i]);
	}
	f = frame_raw(all.data, all.len);
	mem_free(all.data);
	mem_free(text);
	mem_free(hello);
	mem_free(c->opening);
	c->opening = NULL;
	c->state = CLIENT_OPEN;
	client_due_for_ping(c);
	client_put(c, f);
	frame_put(f);
}

void client_read_head(struct client *c, const char *data, size_t len)
{
	struct opening *o = c->opening;
	struct handshake h;
	int result;

	if (len > sizeof(o->head) - o->len)
		len = sizeof(o->head) - o->len; /* full, and so refused below, unless what is there was enough */
	memcpy(o->head + o->len, data, len);
	o->len += len;
	result = handshake_read(o->head, o->len, c->live->origin, &h);
	if (result == HANDSHAKE_OPEN)
		ask_ticket(c, &h);
	else if (result == HANDSHAKE_METRICS)
		answer_metrics(c);
	else if (result != HANDSHAKE_MORE)
		client_refuse(c, result, h.why);
}
