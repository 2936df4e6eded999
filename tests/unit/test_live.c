/* stint-live's parts that need no socket: the handshake, frames, tickets, the ring and who was signed out. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "live/frame.h"
#include "live/handshake.h"
#include "live/revoked.h"
#include "live/ring.h"
#include "live/ticket.h"
#include "unit.h"

#define ORIGIN "https://stint.example"
#define TICKET "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
#define A "019b76da-a800-7f3f-a369-227fbbf040f2"
#define B "019b76da-a800-7884-a25d-f3ab2745205a"

static const char good[] =
	"GET /live?ticket=" TICKET "&since=42 HTTP/1.1\r\nHost: stint.example\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: " ORIGIN "\r\n\r\n";

static int read_head(const char *head, struct handshake *h)
{
	return handshake_read(head, strlen(head), ORIGIN, h);
}

/* The head of above with one text in place of another. */
static int read_with(const char *was, const char *is)
{
	struct handshake h;
	const char *at = strstr(good, was);
	char *head;

	ck_assert_ptr_nonnull(at);
	head = mem_printf(unit_mem, "%.*s%s%s", (int)(at - good), good, is, at + strlen(was));
	return read_head(head, &h);
}

START_TEST(handshake_is_answered_as_the_rfc_says)
{
	struct handshake h;

	ck_assert_int_eq(read_head(good, &h), HANDSHAKE_OPEN);
	ck_assert_str_eq(h.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	ck_assert_str_eq(h.ticket, TICKET);
	ck_assert_int_eq(h.since, 42);
}
END_TEST

START_TEST(handshake_waits_for_all_of_the_head)
{
	struct handshake h;

	for (size_t n = 0; n < strlen(good); n++)
		ck_assert_int_eq(handshake_read(good, n, ORIGIN, &h), HANDSHAKE_MORE);
}
END_TEST

START_TEST(handshake_refuses_what_is_not_exactly_one)
{
	static const struct {
		const char *was, *is;
		int status;
	} cases[] = {
		{ "GET", "PUT", 405 },
		{ "HTTP/1.1", "HTTP/1.0", 400 },
		{ "/live", "/live/", 404 },
		{ "since=42", "since=-1", 400 },
		{ "since=42", "since=1234567890123456789", 400 },
		{ "since=42", "since=042", 101 },
		{ "&since=42", "", 101 },
		{ "&since", "&ticket=" TICKET "&since", 400 },
		{ "&since", "&until", 400 },
		{ "Host: stint.example\r\n", "", 400 },
		{ "Host:", "Host :", 400 },
		{ "Host: ", "Host:\r\n ", 400 },
		{ "Upgrade: websocket", "Upgrade: h2c", 426 },
		{ "keep-alive, Upgrade", "keep-alive", 426 },
		{ "Version: 13", "Version: 12", 426 },
		{ "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZR==", 400 },
		{ "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=", 400 },
		{ "Origin: https", "Origin: http", 403 },
		{ ".example\r\n\r\n", ".example:8443\r\n\r\n", 403 },
		{ "Origin: " ORIGIN "\r\n", "", 101 },
		{ "\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n", 101 },
		{ "\r\n\r\n", "\r\nContent-Length: 1\r\n\r\n", 400 },
		{ "\r\n\r\n", "\r\nTransfer-Encoding: identity\r\n\r\n", 400 },
		{ "\r\n\r\n", "\r\n\r\nmore", 400 },
		{ "stint.example\r\n", "stint.example\n", 400 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_msg(read_with(cases[i].was, cases[i].is) == cases[i].status, "%s -> %s is %d", cases[i].was, cases[i].is,
			read_with(cases[i].was, cases[i].is));
}
END_TEST

START_TEST(origin_is_scheme_host_and_port)
{
	ck_assert_str_eq(handshake_origin(unit_mem, "https://stint.example/app/"), ORIGIN);
	ck_assert_str_eq(handshake_origin(unit_mem, "http://localhost:8080"), "http://localhost:8080");
}
END_TEST

/* --- frames */

struct heard {
	int count;
	char all[200];
};

static int hear(void *arg, enum frame_kind kind, const char *payload, size_t len)
{
	struct heard *h = arg;
	size_t at = strlen(h->all);

	h->count++;
	snprintf(h->all + at, sizeof(h->all) - at, "%d:%.*s;", (int)kind, (int)len, payload);
	return 0;
}

/* A frame of a client, masked with zeros so that it can be read here. */
static size_t put_frame(char *out, int first, const char *payload)
{
	size_t len = strlen(payload);

	out[0] = (char)first;
	out[1] = (char)(0x80 | len);
	memset(out + 2, 0, 4);
	memcpy(out + 6, payload, len);
	return 6 + len;
}

START_TEST(frames_go_out_unmasked_and_whole)
{
	struct frame *f = frame_new(FRAME_TEXT, "hello", 5), *c = frame_close(1001, "bye");

	ck_assert_mem_eq(f->data, "\x81\x05hello", f->len);
	ck_assert_mem_eq(c->data, "\x88\x05\x03\xe9"
				  "bye",
		c->len);
	frame_get(f);
	frame_put(f);
	frame_put(f);
	frame_put(c);
}
END_TEST

START_TEST(a_long_frame_has_the_longer_head)
{
	char text[300];
	struct frame *f;

	memset(text, 'x', sizeof(text));
	f = frame_new(FRAME_TEXT, text, sizeof(text));
	ck_assert_uint_eq(f->len, 304);
	ck_assert_mem_eq(f->data, "\x81\x7e\x01\x2c", 4);
	frame_put(f);
}
END_TEST

START_TEST(frames_are_heard_however_they_come_and_nothing_is_kept_between)
{
	char bytes[64];
	size_t len = put_frame(bytes, 0x81, "ping");

	len += put_frame(bytes + len, 0x8A, "");
	len += put_frame(bytes + len, 0x89, "abc");
	for (size_t piece = 1; piece <= len; piece++) {
		struct heard h = { 0 };
		struct inbox *box = NULL;

		for (size_t at = 0; at < len; at += piece)
			ck_assert_int_eq(inbox_feed(&box, unit_mem, bytes + at, len - at < piece ? len - at : piece, hear, &h), 0);
		ck_assert_str_eq(h.all, "1:ping;10:;9:abc;");
		ck_assert_ptr_null(box);
	}
}
END_TEST

START_TEST(a_frame_cut_off_is_kept_until_it_is_whole)
{
	char bytes[64];
	size_t len = put_frame(bytes, 0x81, "ping");
	struct heard h = { 0 };
	struct inbox *box = NULL;

	ck_assert_int_eq(inbox_feed(&box, unit_mem, bytes, len - 1, hear, &h), 0);
	ck_assert_ptr_nonnull(box);
	ck_assert_int_eq(h.count, 0);
	ck_assert_int_eq(inbox_feed(&box, unit_mem, bytes + len - 1, 1, hear, &h), 0);
	ck_assert_ptr_null(box);
	ck_assert_int_eq(h.count, 1);
}
END_TEST

START_TEST(what_no_client_may_send_has_its_code)
{
	static const struct {
		const char *bytes;
		size_t len;
		int code;
	} cases[] = {
		{ "\x81\x04ping", 6, CLOSE_PROTOCOL },         /* not masked */
		{ "\xC1\x80\0\0\0\0", 6, CLOSE_PROTOCOL },     /* reserved bit */
		{ "\x83\x80\0\0\0\0", 6, CLOSE_PROTOCOL },     /* unknown */
		{ "\x8B\x80\0\0\0\0", 6, CLOSE_PROTOCOL },
		{ "\x09\x80\0\0\0\0", 6, CLOSE_PROTOCOL },     /* a control in pieces */
		{ "\x81\xFE\0\x05\0\0\0\0", 8, CLOSE_PROTOCOL }, /* a length written longer than need be */
		{ "\x82\x80\0\0\0\0", 6, CLOSE_POLICY },       /* bytes */
		{ "\x01\x80\0\0\0\0", 6, CLOSE_POLICY },       /* a piece */
		{ "\x80\x80\0\0\0\0", 6, CLOSE_POLICY },       /* a continuation */
		{ "\x81\xFE\x01\0\0\0\0\0x", 9, CLOSE_POLICY }, /* long */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct heard h = { 0 };
		struct inbox *box = NULL;

		ck_assert_msg(inbox_feed(&box, unit_mem, cases[i].bytes, cases[i].len, hear, &h) == cases[i].code, "case %zu", i);
		ck_assert_ptr_null(box);
		ck_assert_int_eq(h.count, 0);
	}
}
END_TEST

/* --- events, tickets */

START_TEST(events_are_read_and_written)
{
	struct event_row e;
	char text[EVENT_TEXT_MAX];

	ck_assert(event_read(&e, "7-0", "time_entry", A, "member:" B));
	ck_assert(!e.everybody);
	event_write(&e, text);
	ck_assert_str_eq(text, "{\"noun\":\"time_entry\",\"id\":\"" A "\",\"position\":7}");
	ck_assert(event_read(&e, "8-0", "tag", A, "organization"));
	ck_assert(e.everybody);
	ck_assert(!event_read(&e, "8-1", "tag", A, "organization"));
	ck_assert(!event_read(&e, "0-0", "tag", A, "organization"));
	ck_assert(!event_read(&e, "x-0", "tag", A, "organization"));
	ck_assert(!event_read(&e, "8-0", "Tag\"", A, "organization"));
	ck_assert(!event_read(&e, "8-0", "a_noun_that_is_longer_than_thirty_two", A, "organization"));
	ck_assert(!event_read(&e, "8-0", "tag", "x", "organization"));
	ck_assert(!event_read(&e, "8-0", "tag", A, "member:x"));
	ck_assert(!event_read(&e, "8-0", "tag", A, "everybody"));
	ck_assert(!event_read(&e, "8-0", NULL, A, "organization"));
}
END_TEST

static bool read_ticket(const char *topics, struct ticket *t)
{
	const char *json = mem_printf(unit_mem, "{\"organization\":\"" A "\",\"member\":\"" B "\",\"credential\":\"" A "\",\"expires_at\":5,"
						"\"position\":3,\"topics\":%s}",
		topics);

	return ticket_read(json, strlen(json), t);
}

START_TEST(tickets_say_what_may_be_heard)
{
	struct event_row all, own, other;
	struct ticket t;

	ck_assert(event_read(&all, "1-0", "tag", A, "organization"));
	ck_assert(event_read(&own, "1-0", "tag", A, "member:" B));
	ck_assert(event_read(&other, "1-0", "tag", A, "member:" A));
	ck_assert(read_ticket("[\"organization\",\"member:" B "\"]", &t));
	ck_assert(hears(&t.hearing, &all) && hears(&t.hearing, &own) && !hears(&t.hearing, &other));
	ck_assert_int_eq(t.position, 3);
	ck_assert(read_ticket("[\"organization\",\"members\"]", &t));
	ck_assert(hears(&t.hearing, &all) && hears(&t.hearing, &own) && hears(&t.hearing, &other));
	ck_assert(read_ticket("[]", &t));
	ck_assert(!hears(&t.hearing, &all) && !hears(&t.hearing, &own));
	ck_assert(!read_ticket("[\"member:" A "\"]", &t));
	ck_assert(!read_ticket("[\"everything\"]", &t));
	ck_assert(!read_ticket("[1]", &t));
	ck_assert(!read_ticket("{}", &t));
	ck_assert(!ticket_read("[]", 2, &t));
	ck_assert(!ticket_read("null", 4, &t));
}
END_TEST

/* --- ring, revoked */

static void push(struct ring *r, int64_t position)
{
	const struct event_row e = { .position = position };

	ring_push(r, unit_mem, &e);
}

START_TEST(the_ring_keeps_the_newest_and_knows_how_far_back_it_reaches)
{
	struct ring r;

	ring_init(&r, 20);
	ck_assert_int_eq(ring_after(&r, 0), -1);
	for (int64_t i = 5; i <= 40; i++)
		push(&r, i);
	ck_assert_uint_eq(r.count, 20);
	ck_assert_int_eq(ring_at(&r, 0)->position, 21);
	ck_assert_int_eq(ring_after(&r, 19), -1);
	ck_assert_int_eq(ring_after(&r, 20), 0);
	for (int64_t i = 20; i < 40; i++)
		ck_assert_int_eq(ring_at(&r, (size_t)ring_after(&r, i))->position, i + 1);
	push(&r, 50); /* what was between is not known */
	ck_assert_uint_eq(r.count, 1);
	ck_assert_int_eq(ring_after(&r, 48), -1);
	ck_assert_int_eq(ring_after(&r, 49), 0);
}
END_TEST

START_TEST(the_newest_that_were_signed_out_are_remembered)
{
	struct revoked *r = revoked_new(unit_mem);
	struct id id = { 0 };

	for (uint32_t i = 0; i < REVOKED_MAX + 100; i++) {
		memcpy(id.b + 12, &i, sizeof(i));
		ck_assert(!revoked_has(r, &id));
		revoked_add(r, &id);
		revoked_add(r, &id);
		ck_assert(revoked_has(r, &id));
	}
	for (uint32_t i = 0; i < REVOKED_MAX + 100; i++) {
		memcpy(id.b + 12, &i, sizeof(i));
		ck_assert(revoked_has(r, &id) == (i >= 100));
	}
}
END_TEST

UNIT_MAIN("live", handshake_is_answered_as_the_rfc_says, handshake_waits_for_all_of_the_head, handshake_refuses_what_is_not_exactly_one,
	origin_is_scheme_host_and_port, frames_go_out_unmasked_and_whole, a_long_frame_has_the_longer_head,
	frames_are_heard_however_they_come_and_nothing_is_kept_between, a_frame_cut_off_is_kept_until_it_is_whole,
	what_no_client_may_send_has_its_code, events_are_read_and_written, tickets_say_what_may_be_heard,
	the_ring_keeps_the_newest_and_knows_how_far_back_it_reaches, the_newest_that_were_signed_out_are_remembered)
