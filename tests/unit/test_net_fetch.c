/* Outgoing HTTP against a real server: what is sent, what is kept of the answer, and each way it can go wrong. TLS: net_tls.py. */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/fetch.h"
#include "net_server.h"

static struct net_server server;

static struct net *net_with(const char *allow)
{
	struct conf *conf = mem_new(unit_mem, struct conf);
	const char *why = NULL;
	struct net *net;

	*conf = (struct conf){ .outgoing_allow = allow, .outgoing_ca_file = "", .smtp_url = "",
		.smtp_user = "", .smtp_password = "",
		.smtp_tls = "starttls", .smtp_ca_file = "", .public_url = "http://localhost" };
	net = net_new(unit_mem, conf, &why);
	ck_assert_msg(net, "%s", why);
	return net;
}

static struct net *start(void)
{
	server = net_server_start();
	return net_with("127.0.0.0/8");
}

static const char *at(const char *path)
{
	return mem_printf(unit_mem, "http://" STAND_IN ":%d%s", server.port, path);
}

static enum net_error get(struct net *net, const char *path, struct net_answer *answer)
{
	const struct net_request rq = { .url = at(path) };

	return net_fetch(net, unit_mem, &rq, answer);
}

START_TEST(an_answer_comes_with_status_headers_and_body)
{
	struct net *net = start();
	struct net_answer a;

	ck_assert_int_eq(get(net, "/ok", &a), NET_OK);
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(a.body, "hi");
	ck_assert_uint_eq(a.body_len, 2);
	ck_assert_str_eq(a.why, "");
	ck_assert_str_eq(a.url, at("/ok"));
	ck_assert_str_eq(net_answer_header(&a, "content-type"), "text/plain");
	ck_assert_str_eq(net_answer_header(&a, "x-twice"), "a");
	ck_assert_ptr_null(net_answer_header(&a, "retry-after"));
	ck_assert_str_eq(a.headers[2].name, "x-twice");
	ck_assert_str_eq(a.headers[2].value, "b");
	ck_assert(a.took_ms >= 0);
	ck_assert_int_eq(get(net, "/gone", &a), NET_OK);
	ck_assert_int_eq(a.status, 410);
	ck_assert_str_eq(net_answer_header(&a, "retry-after"), "120");
	ck_assert_int_eq(get(net, "/chunked", &a), NET_OK);
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(a.body, "abcde");
	ck_assert_ptr_null(net_answer_header(&a, "x-early")); /* of the answer in between */
}
END_TEST

START_TEST(what_is_sent_is_what_was_given)
{
	struct net *net = start();
	const struct net_header headers[] = { { "Content-Type", "application/json" },
		{ "webhook-id", "msg_1" }, { "X-Empty", "" }, { 0 } };
	const char body[] = "{\"a\":\"\0b\"}";
	const struct net_request rq = { .method = "POST", .url = at("/echo?q=1#there"),
		.headers = headers, .body = body, .body_len = sizeof body - 1 };
	struct net_answer a;

	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_OK);
	ck_assert_msg(str_starts(a.body, "POST /echo?q=1 HTTP/1.1\r\n"), "%s", a.body);
	ck_assert_ptr_nonnull(strstr(a.body, "\r\nContent-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(a.body, "\r\nwebhook-id: msg_1\r\n"));
	ck_assert_ptr_nonnull(strstr(a.body, "\r\nX-Empty:\r\n"));
	ck_assert_ptr_nonnull(strstr(a.body, "\r\nUser-Agent: Stint\r\n"));
	ck_assert_ptr_nonnull(strstr(a.body, "\r\nContent-Length: 10\r\n"));
	ck_assert_ptr_null(strcasestr(a.body, "\r\nExpect:"));
	ck_assert_int_eq(memcmp(a.body + a.body_len - 10, body, 10), 0);
}
END_TEST

START_TEST(every_method_goes_out)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" };
	struct net *net = start();

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		const struct net_request rq = { .method = methods[i], .url = at("/echo") };
		struct net_answer a;

		ck_assert_msg(net_fetch(net, unit_mem, &rq, &a) == NET_OK, "%s: %s", methods[i], a.why);
		if (str_eq(methods[i], "HEAD"))
			ck_assert_uint_eq(a.body_len, 0);
		else
			ck_assert_msg(str_starts(a.body,
				mem_printf(unit_mem, "%s /echo HTTP/1.1\r\n", methods[i])), "%s",
				a.body);
		ck_assert_ptr_null(strcasestr(a.body, "\r\nContent-Type:"));
	}
}
END_TEST

START_TEST(no_header_is_slipped_in)
{
	static const struct net_header bad[] = { { "X", "a\r\nHost: b" }, { "X", "a\nb" },
		{ "X\r\nY", "a" }, { "X:Y", "a" }, { "", "a" }, { "X Y", "a" }, { "X", "\x7f" },
		{ "Host", "b" }, { "content-LENGTH", "0" }, { "Transfer-Encoding", "chunked" },
		{ "Connection", "close" }, { "Cookie", "a=b" }, { "Expect", "100-continue" } };
	static const char *const methods[] = { "get", "", "GET / HTTP/1.1\r\nX: y\r\n", "CONNECT",
		"AVERYLONGMETHODNAME", "GET " };
	struct net *net = start();
	struct net_answer a;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct net_header headers[] = { bad[i], { 0 } };
		const struct net_request rq = { .url = at("/ok"), .headers = headers };

		ck_assert_msg(net_fetch(net, unit_mem, &rq, &a) == NET_BAD_REQUEST, "%s: %s",
			bad[i].name, bad[i].value);
		ck_assert(*a.why && a.headers && !a.status);
	}
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		const struct net_request rq = { .url = at("/ok"), .method = methods[i] };

		ck_assert_msg(net_fetch(net, unit_mem, &rq, &a) == NET_BAD_REQUEST, "%s", methods[i]);
	}
	ck_assert_int_eq(server.counts->at_stand_in, 0);
}
END_TEST

START_TEST(an_answer_is_taken_up_to_its_cap)
{
	struct net *net = start();
	struct net_request rq = { .url = at("/ok"), .answer_max = 2 };
	struct net_answer a;

	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_OK);
	ck_assert_str_eq(a.body, "hi");
	rq.answer_max = 1;
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_TOO_LARGE);
	ck_assert_str_eq(a.body, "h");
	ck_assert_int_eq(a.status, 200);
	ck_assert_int_eq(get(net, "/endless", &a), NET_TOO_LARGE);
	ck_assert_uint_eq(a.body_len, NET_ANSWER_MAX);
	ck_assert_int_eq(get(net, "/headers", &a), NET_TOO_LARGE);
}
END_TEST

START_TEST(time_runs_out)
{
	struct net *net = start();
	const struct net_request rq = { .url = at("/never"), .total_ms = 200 };
	const struct net_request loop = { .url = at("/redirect/302?/never"), .total_ms = 200,
		.redirects = 3 };
	struct net_answer a;

	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_TIMEOUT);
	ck_assert_int_eq(a.status, 0);
	ck_assert(a.took_ms >= 190);
	ck_assert_int_eq(net_fetch(net, unit_mem, &loop, &a), NET_TIMEOUT);
}
END_TEST

/* A port that is bound by us and that nobody listens at. */
static int silent_port(int *fd)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof here;

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(*fd, (struct sockaddr *)&here, len), 0);
	ck_assert_int_eq(getsockname(*fd, (struct sockaddr *)&here, &len), 0);
	return ntohs(here.sin_port);
}

START_TEST(each_failure_has_its_name)
{
	struct net *net = start();
	struct net_answer a;
	int fd, port = silent_port(&fd);
	struct net_request rq = { .url = mem_printf(unit_mem, "http://127.0.0.1:%d/", port) };

	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_CONNECT);
	close(fd);
	rq.url = "http://nowhere.test/";
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_DNS);
	rq.url = mem_printf(unit_mem, "https://" STAND_IN ":%d/ok", server.port);
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_TLS);
	rq.url = "http://10.0.0.1/";
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_REFUSED_ADDRESS);
	rq.url = "ftp://127.0.0.1/";
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_BAD_URL);
	rq.url = "http://user:secret@127.0.0.1/";
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_BAD_URL);
	ck_assert_ptr_null(strstr(a.why, "secret"));
	ck_assert_int_eq(get(net, "/garbage", &a), NET_BROKEN);
	ck_assert_int_eq(get(net, "/nothing", &a), NET_BROKEN);
	ck_assert_int_eq(get(net, "/cut", &a), NET_BROKEN);
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(net_error_name(NET_BROKEN), "broken");
	ck_assert_str_eq(net_error_name(NET_REFUSED_ADDRESS), "refused_address");
}
END_TEST

START_TEST(redirects_are_followed_when_asked_only)
{
	struct net *net = start();
	struct net_answer a;
	struct net_request rq = { .url = at("/redirect/302?/ok") };

	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_REDIRECTED);
	ck_assert_int_eq(a.status, 302);
	ck_assert_str_eq(net_answer_header(&a, "location"), "/ok");
	ck_assert_int_eq(server.counts->requests, 1);
	rq.redirects = 1;
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_OK);
	ck_assert_str_eq(a.body, "hi");
	ck_assert_str_eq(a.url, at("/ok"));
	rq.url = at("/loop");
	rq.redirects = 4;
	server.counts->requests = 0;
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_REDIRECTED);
	ck_assert_int_eq(server.counts->requests, 5);
	/* What a redirect sets as a cookie is not brought along. */
	rq.url = at("/cookie");
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_OK);
	ck_assert_ptr_null(strcasestr(a.body, "Cookie"));
}
END_TEST

START_TEST(a_redirect_takes_no_secret_elsewhere)
{
	struct net *net = start();
	const struct net_header headers[] = { { "Authorization", "Bearer t" },
		{ "webhook-signature", "v1,x" }, { 0 } };
	struct net_request rq = { .method = "POST", .headers = headers, .body = "body",
		.body_len = 4, .redirects = 2 };
	struct net_answer a;

	/* The same origin: as before, but for what 303 says. */
	rq.url = at("/redirect/307?/echo");
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_OK);
	ck_assert(str_starts(a.body, "POST /echo") && str_ends(a.body, "\r\n\r\nbody") &&
		strstr(a.body, "Bearer t"));
	rq.url = at("/redirect/303?/echo");
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_OK);
	ck_assert(str_starts(a.body, "GET /echo") && str_ends(a.body, "\r\n\r\n") &&
		strstr(a.body, "Bearer t"));
	/* Another one: no header, no body. */
	rq.url = at(mem_printf(unit_mem, "/redirect/303?http://127.0.0.5:%d/echo", server.port));
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_OK);
	ck_assert(str_starts(a.body, "GET /echo") && !strstr(a.body, "Bearer t") && !strstr(a.body, "v1,x"));
	rq.url = at(mem_printf(unit_mem, "/redirect/308?http://127.0.0.5:%d/echo", server.port));
	server.counts->requests = 0;
	ck_assert_int_eq(net_fetch(net, unit_mem, &rq, &a), NET_REDIRECTED);
	ck_assert_int_eq(server.counts->requests, 1);
}
END_TEST

START_TEST(netrc_is_not_read)
{
	struct net *net = start();
	const char *home = mem_printf(unit_mem, "/tmp/stint-home-%d", (int)getpid());
	const char *file = mem_printf(unit_mem, "%s-netrc", home);
	struct net_answer a;
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	fputs("default login me password mine\n", f);
	fclose(f);
	setenv("NETRC", file, 1);
	setenv("HOME", home, 1);
	ck_assert_int_eq(get(net, "/echo", &a), NET_OK);
	ck_assert_ptr_null(strcasestr(a.body, "Authorization"));
	unlink(file);
}
END_TEST

START_TEST(wrong_options_are_named)
{
	struct conf good = { .outgoing_allow = "", .outgoing_ca_file = "",
		.smtp_url = "smtp://localhost:587", .smtp_user = "me", .smtp_password = "x",
		.smtp_tls = "starttls", .smtp_ca_file = "", .public_url = "http://localhost" };
	static const char *const urls[] = { "localhost:25", "http://localhost",
		"smtp://me:x@localhost", "smtp://localhost/there", "smtp://",
		"smtp://localhost?a" };
	const char *why = NULL;
	struct conf c = good;

	ck_assert_ptr_nonnull(net_new(unit_mem, &c, &why));
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		c.smtp_url = urls[i];
		ck_assert_msg(!net_new(unit_mem, &c, &why) && str_starts(why, "smtp_url: "), "%s", urls[i]);
	}
	c = good;
	c.smtp_tls = "opportunistic";
	ck_assert(!net_new(unit_mem, &c, &why) && str_starts(why, "smtp_tls: "));
	c.smtp_user = "";
	ck_assert_ptr_nonnull(net_new(unit_mem, &c, &why));
	c = good;
	c.outgoing_allow = "localhost";
	ck_assert(!net_new(unit_mem, &c, &why) && str_starts(why, "outgoing_allow: \"localhost\""));
	c = good;
	c.outgoing_ca_file = "/nowhere/ca.pem";
	ck_assert(!net_new(unit_mem, &c, &why) && str_starts(why, "outgoing_ca_file: /nowhere/ca.pem"));
}
END_TEST

START_TEST(retry_after_is_seconds_or_a_date)
{
	static const struct {
		const char *said;
		int64_t wanted;
	} cases[] = { { "0", 0 }, { "120", 120 }, { "-5", 0 }, { "soon", 0 }, { "", 0 }, { "999999999999", 0 },
		{ "Fri, 27 Nov 2026 10:05:00 GMT", 300 }, { "Fri, 27 Nov 2026 09:00:00 GMT", 0 } };
	struct net_answer a = { 0 };
	struct net_header headers[2] = { { "retry-after", NULL }, { 0 } };

	clock_set_us(1795773600000000); /* 2026-11-27T10:00:00Z */
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		headers[0].value = cases[i].said;
		a.headers = headers;
		ck_assert_msg(net_answer_retry_s(&a) == cases[i].wanted, "%s: %lld", cases[i].said, (long long)net_answer_retry_s(&a));
	}
	a.headers = headers + 1;
	ck_assert_int_eq(net_answer_retry_s(&a), 0);
	clock_set_us(0);
}
END_TEST

UNIT_MAIN("net_fetch", retry_after_is_seconds_or_a_date, an_answer_comes_with_status_headers_and_body, what_is_sent_is_what_was_given,
	every_method_goes_out, no_header_is_slipped_in,
	an_answer_is_taken_up_to_its_cap, time_runs_out, each_failure_has_its_name,
		redirects_are_followed_when_asked_only,
	a_redirect_takes_no_secret_elsewhere, netrc_is_not_read, wrong_options_are_named)
