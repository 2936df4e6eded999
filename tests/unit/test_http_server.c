/*
 * The server as a whole, over real sockets: what it answers, what it refuses, and that no stream however odd ends a worker.
 * What masters do (respawn, reload, stop) is in test_http_master.c.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "echo_server.h"
#include "fcgi_client.h"

#define BODY_MAX ((size_t)1024 * 1024)

static struct echo_server server;
static struct buf stream, pairs;

static void start(void)
{
	server = (struct echo_server){ .workers = 2, .timeout_s = 30 };
	echo_start(&server);
}

static void fresh(void)
{
	buf_init(&stream, unit_mem);
	buf_init(&pairs, unit_mem);
}

static struct reply get(const char *uri)
{
	return fcgi_get(unit_mem, server.web, uri);
}

static struct reply send_stream(void)
{
	return fcgi_exchange(unit_mem, server.web, &stream);
}

static void expect(struct reply r, int status, const char *part)
{
	ck_assert(r.answered);
	ck_assert_int_eq(r.status, status);
	ck_assert_msg(strstr(r.body, part) != NULL, "%s in %s", part, r.body);
}

START_TEST(requests_are_answered)
{
	struct reply r;

	start();
	r = get("/a%20b?x=%C3%A4&y=1+2");
	expect(r, 200, "\"path\":\"/a b\"");
	expect(r, 200, "\"q_x\":\"ä\",\"q_y\":\"1 2\"");
	ck_assert_ptr_nonnull(strstr(r.head, "\r\nX-Request-Id: "));
	ck_assert_ptr_nonnull(strstr(r.head, "\r\nCache-Control: no-store"));
	ck_assert_ptr_nonnull(strstr(r.head, mem_printf(unit_mem, "\r\nContent-Length: %zu", r.body_len)));
	fresh();
	fcgi_request(&stream, "POST", "/form", "a=1&b=2");
	expect(send_stream(), 200, "\"body\":\"a=1&b=2\"");
	fresh();
	fcgi_request(&stream, "HEAD", "/", "");
	r = send_stream();
	expect(r, 200, "");
	ck_assert_uint_eq(r.body_len, 0);
	ck_assert_ptr_nonnull(strstr(r.head, "Content-Length: "));
	ck_assert_ptr_null(strstr(r.head, "Content-Length: 0"));
	r = get("/empty");
	expect(r, 204, "");
	ck_assert_ptr_null(strstr(r.head, "Content-Length"));
	expect(get("/nothing"), 500, "\"code\":\"internal\"");
	expect(get("/metrics"), 200, "stint_workers{pool=\"auth\",state=\"idle\"} 1\n");
	echo_stop(&server);
}
END_TEST

START_TEST(headers_come_through)
{
	struct reply r;

	start();
	fresh();
	fcgi_param(&pairs, "REQUEST_METHOD", "GET");
	fcgi_param(&pairs, "REQUEST_URI", "/");
	fcgi_param(&pairs, "REQUEST_ID", "0123456789abcdef0123456789abcdef");
	fcgi_param(&pairs, "HTTP_ACCEPT", "text/html");
	fcgi_param(&pairs, "HTTP_ACCEPT", "text/plain=1");
	fcgi_param(&pairs, "HTTP_COOKIE", "b=1");
	fcgi_param(&pairs, "HTTP_COOKIE", "c=2");
	fcgi_stream(&stream, &pairs, "", 0);
	r = send_stream();
	expect(r, 200, "\"accept\":\"text/html, text/plain=1\",\"cookie\":\"2\"");
	ck_assert_ptr_nonnull(strstr(r.head, "\r\nX-Request-Id: 0123456789abcdef0123456789abcdef\r\n"));
	echo_stop(&server);
}
END_TEST

START_TEST(big_answers_are_whole)
{
	static const int sizes[] = { 0, 1, 65000, 65528, 65529, 200000, 3000000 };
	char *alphabet = mem_array(unit_mem, char, 3000000);

	for (int i = 0; i < 3000000; i++)
		alphabet[i] = (char)('a' + i % 26);
	start();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct reply r = get(mem_printf(unit_mem, "/big?n=%d", sizes[i]));

		expect(r, 200, "");
		ck_assert_uint_eq(r.body_len, (size_t)sizes[i]);
		ck_assert_mem_eq(r.body, alphabet, r.body_len);
		ck_assert_ptr_nonnull(strstr(r.head, "\r\nCache-Control: max-age=60"));
	}
	echo_stop(&server);
}
END_TEST

/* A whole stream whose parameters are the usual ones, with one put in place of, or beside, them. */
static struct reply odd(const char *name, const char *value, const char *body)
{
	static const char *const usual[][2] = { { "REQUEST_METHOD", "GET" }, { "REQUEST_URI", "/" }, { "CONTENT_LENGTH", "" } };

	fresh();
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (strcmp(usual[i][0], name) != 0)
			fcgi_param(&pairs, usual[i][0], usual[i][1]);
	if (value)
		fcgi_param(&pairs, name, value);
	fcgi_stream(&stream, &pairs, body, strlen(body));
	return send_stream();
}

START_TEST(absurd_requests_are_refused)
{
	struct reply r;

	start();
	expect(odd("REQUEST_METHOD", NULL, ""), 400, "malformed");
	expect(odd("REQUEST_METHOD", "", ""), 400, "malformed");
	expect(odd("REQUEST_URI", NULL, ""), 400, "malformed");
	expect(odd("REQUEST_URI", "/%00", ""), 400, "encoding");
	expect(odd("REQUEST_URI", "/a/../b", ""), 404, "not_found");
	expect(odd("CONTENT_LENGTH", "-1", ""), 400, "malformed");
	expect(odd("CONTENT_LENGTH", "5", "four"), 400, "malformed");
	expect(odd("CONTENT_LENGTH", "3", "four"), 400, "malformed");
	expect(odd("CONTENT_LENGTH", "", "four"), 400, "malformed");
	expect(odd("CONTENT_LENGTH", "4", "four"), 200, "four");
	expect(odd("CONTENT_LENGTH", "99999999999999999999", "four"), 413, "too_large");
	expect(odd("HTTP_X", "\xe4", ""), 400, "encoding");
	expect(odd("HTTP_\xc3\xa4", "x", ""), 400, "malformed");
	expect(odd("HTTP X", "x", ""), 400, "malformed");
	expect(odd("HTTP_A=B", "x", ""), 400, "malformed");
	fresh();
	fcgi_param(&pairs, "REQUEST_METHOD", "GET");
	fcgi_param(&pairs, "REQUEST_METHOD", "POST");
	fcgi_param(&pairs, "REQUEST_URI", "/");
	fcgi_stream(&stream, &pairs, "", 0);
	r = send_stream();
	expect(r, 400, "{\"type\":\"urn:stint:error:malformed\",\"title\":\"Malformed request\",\"status\":400,");
	ck_assert_ptr_nonnull(strstr(r.head, "Content-Type: application/problem+json"));
	ck_assert_ptr_nonnull(strstr(r.head, "X-Request-Id: "));
	/* No handler has seen any of them but the one that was right. */
	echo_expect_logged(&server, "\"route\":\"echo\"", 1);
	echo_expect_logged(&server, "\"route\":\"-\"", 15);
	echo_stop(&server);
}
END_TEST

START_TEST(limits_are_413)
{
	char *big = mem_array(unit_mem, char, BODY_MAX + 1);

	start();
	memset(big, 'x', BODY_MAX + 1);
	fresh();
	for (int i = 0; i < 300; i++)
		fcgi_param(&pairs, mem_printf(unit_mem, "HTTP_X_%d", i), "y");
	fcgi_stream(&stream, &pairs, "", 0);
	expect(send_stream(), 413, "too_large");
	fresh();
	fcgi_pair(&pairs, "HTTP_X", 6, big, 70000, true);
	fcgi_stream(&stream, &pairs, "", 0);
	expect(send_stream(), 413, "too_large");
	/* The body: just fitting, and one more. */
	for (size_t len = BODY_MAX; len <= BODY_MAX + 1; len++) {
		fresh();
		fcgi_param(&pairs, "REQUEST_METHOD", "POST");
		fcgi_param(&pairs, "REQUEST_URI", "/");
		fcgi_param(&pairs, "CONTENT_LENGTH", mem_printf(unit_mem, "%zu", len));
		fcgi_stream(&stream, &pairs, big, len);
		if (len == BODY_MAX)
			ck_assert_uint_gt(send_stream().body_len, BODY_MAX);
		else
			expect(send_stream(), 413, "too_large");
	}
	echo_stop(&server);
}
END_TEST

/* What is cut off is not answered and no handler sees it. */
START_TEST(truncated_streams_end_quietly)
{
	size_t len;

	start();
	fresh();
	fcgi_request(&stream, "POST", "/", "hello");
	len = stream.len;
	for (stream.len = 0; stream.len < len; stream.len += 3) {
		int fd = fcgi_connect(server.web);

		ck_assert(fcgi_send(fd, &stream));
		shutdown(fd, SHUT_WR);
		ck_assert(!fcgi_receive(unit_mem, fd).answered);
		close(fd);
	}
	echo_expect_logged(&server, "\"route\":\"echo\"", 0);
	ck_assert_int_gt(echo_logged(&server, "the request ends in its middle"), 10);
	echo_stop(&server);
}
END_TEST

START_TEST(pieces_of_any_size_are_put_together)
{
	struct reply r;
	int fd;

	start();
	fresh();
	fcgi_request(&stream, "POST", "/piece", "hello");
	fd = fcgi_connect(server.web);
	for (size_t i = 0; i < stream.len; i++) {
		struct buf one = { .data = stream.data + i, .len = 1 };

		ck_assert(fcgi_send(fd, &one));
		if (i % 16 == 0)
			nap_ms(1);
	}
	r = fcgi_receive(unit_mem, fd);
	close(fd);
	expect(r, 200, "\"body\":\"hello\"");
	echo_stop(&server);
}
END_TEST

/* Streams that overrun, abort or confuse libfcgi when it gets to see them, and some that nobody should send. */
static void malformed(int which)
{
	fresh();
	if (which == 0)
		buf_puts(&stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	if (which == 1)
		for (int i = 0; i < 60; i++)
			fcgi_pair(&pairs, "FCGI_MAX_CONNS", 14, "", 0, false);
	if (which == 1)
		fcgi_record(&stream, FCGI_GET_VALUES, 0, pairs.data, pairs.len);
	if (which >= 2)
		fcgi_begin(&stream);
	if (which == 2)
		fcgi_record(&stream, FCGI_PARAMS, 1, "\xff\xff\xff\xf0\xff\xff\xff\xf0"
						     "AAA",
			11);
	if (which == 3)
		fcgi_record(&stream, FCGI_ABORT, 1, "", 0);
	if (which == 4)
		fcgi_begin(&stream);
	if (which == 5)
		fcgi_record(&stream, 77, 1, "what?", 5);
	if (which >= 6) {
		fcgi_param(&pairs, "REQUEST_METHOD", "POST");
		fcgi_param(&pairs, "REQUEST_URI", "/");
		fcgi_param(&pairs, "CONTENT_LENGTH", "3");
		fcgi_record(&stream, FCGI_PARAMS, 1, pairs.data, pairs.len);
		fcgi_record(&stream, FCGI_PARAMS, 1, "", 0);
		buf_reset(&pairs);
	}
	if (which == 6) {
		for (int i = 0; i < 60; i++)
			fcgi_pair(&pairs, "FCGI_MAX_CONNS", 14, "", 0, false);
		fcgi_record(&stream, FCGI_GET_VALUES, 0, pairs.data, pairs.len);
	}
	if (which == 7)
		fcgi_record(&stream, FCGI_PARAMS, 1, "\1\1AB", 4);
	if (which == 8)
		fcgi_record(&stream, FCGI_STDIN, 2, "abc", 3);
	if (which == 9)
		buf_add(&stream, "\2\5\0\1\0\3\0\0"
				 "abc",
			11);
}

START_TEST(no_stream_ends_a_worker)
{
	pid_t before[ECHO_WORKERS_MAX], after[ECHO_WORKERS_MAX];
	int n;

	start();
	n = echo_workers(&server, before);
	for (int which = 0; which < 10; which++) {
		struct reply r;

		malformed(which);
		r = send_stream();
		ck_assert_msg(!r.answered || r.status == 400 || r.status == 413, "%d: %d", which, r.status);
		ck_assert_msg(r.answered || which == 0 || which == 1 || which == 3, "%d", which);
	}
	echo_expect_logged(&server, "\"route\":\"echo\"", 0);
	ck_assert_int_eq(echo_workers(&server, after), n);
	ck_assert_mem_eq(before, after, sizeof(pid_t) * (size_t)n);
	expect(get("/"), 200, "");
	echo_stop(&server);
}
END_TEST

/* A right stream with a few bytes changed, at places that a fixed seed chooses. */
START_TEST(random_damage_ends_no_worker)
{
	pid_t before[ECHO_WORKERS_MAX], after[ECHO_WORKERS_MAX];
	int n;

	start();
	n = echo_workers(&server, before);
	srandom(20261123);
	for (int round = 0; round < 400; round++) {
		int fd;

		fresh();
		fcgi_request(&stream, "POST", "/?a=b", "hello");
		for (long changes = random() % 4 + 1; changes > 0; changes--)
			stream.data[random() % (long)stream.len] = (char)random();
		fd = fcgi_connect(server.web);
		ck_assert_int_ge(fd, 0);
		fcgi_send(fd, &stream);
		shutdown(fd, SHUT_WR);
		fcgi_receive(unit_mem, fd);
		close(fd);
	}
	ck_assert_int_eq(echo_workers(&server, after), n);
	ck_assert_mem_eq(before, after, sizeof(pid_t) * (size_t)n);
	expect(get("/"), 200, "");
	echo_stop(&server);
}
END_TEST

START_TEST(the_log_says_who_and_what_without_the_query)
{
	start();
	expect(get("/secret/path?token=abcdef"), 200, "");
	echo_expect_logged(&server, "\"method\":\"GET\",\"path\":\"/secret/path\",\"route\":\"echo\",\"status\":\"200\",\"ms\":\"", 1);
	echo_expect_logged(&server, "abcdef", 0);
	echo_stop(&server);
}
END_TEST

START_TEST(peers_that_leave_do_no_harm)
{
	start();
	fresh();
	fcgi_request(&stream, "GET", "/big?n=3000000", "");
	for (int i = 0; i < 5; i++) {
		int fd = fcgi_connect(server.web);

		ck_assert(fcgi_send(fd, &stream));
		close(fd);
		close(fcgi_connect(server.web));
	}
	expect(get("/"), 200, "");
	echo_expect_logged(&server, "worker died", 0);
	echo_stop(&server);
}
END_TEST

static void send_only(const struct buf *what)
{
	int fd = fcgi_connect(server.web);

	ck_assert(fcgi_send(fd, what));
	close(fd);
}

/* One worker, many requests of all kinds: it holds no more than before. STINT_LONG=1 makes it a hundred thousand. */
START_TEST(memory_and_descriptors_stay_flat)
{
	int rounds = getenv("STINT_LONG") ? 100000 : 2000;
	char first[16] = { 0 };
	pid_t pids[ECHO_WORKERS_MAX];
	long before_kb = 0, after_kb = 0;

	server = (struct echo_server){ .workers = 1, .timeout_s = 30 };
	echo_start(&server);
	for (int i = 0; i < rounds; i++) {
		void *mem = mem_root("round");

		if (i == rounds / 2) {
			for (int n = echo_workers(&server, pids); n-- > 0;)
				before_kb += echo_private_kb(pids[n]);
			snprintf(first, sizeof(first), "%s", get("/descriptors").body);
		}
		buf_init(&stream, mem);
		fcgi_request(&stream, i % 3 ? "GET" : "POST", i % 5 ? "/x?a=1" : "/..", i % 3 ? "" : "body");
		stream.len -= i % 7 ? 0 : 9; /* some are cut */
		if (i % 7)
			ck_assert(fcgi_exchange(mem, server.web, &stream).answered);
		else
			send_only(&stream);
		mem_free(mem);
	}
	for (int n = echo_workers(&server, pids); n-- > 0;)
		after_kb += echo_private_kb(pids[n]);
	ck_assert_str_eq(get("/descriptors").body, first);
#ifndef STINT_SANITIZERS
	ck_assert_int_le(after_kb, before_kb + 64);
#else
	ck_assert_int_gt(after_kb + before_kb, 0); /* freed blocks are kept in quarantine */
#endif
	echo_stop(&server);
}
END_TEST

UNIT_MAIN("http_server", requests_are_answered, headers_come_through, big_answers_are_whole, absurd_requests_are_refused,
	limits_are_413, truncated_streams_end_quietly, pieces_of_any_size_are_put_together, no_stream_ends_a_worker,
	random_damage_ends_no_worker, the_log_says_who_and_what_without_the_query, peers_that_leave_do_no_harm,
	memory_and_descriptors_stay_flat)
