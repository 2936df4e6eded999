/*
 * Nobody's address leads inside: hundreds of spellings of addresses that are not public, tricks with URLs, names and redirects,
 * against real sockets that listen on every address of this host and count. None may count anything.
 *
 * So that silence means something, the same spellings of loopback are tried once more with all networks allowed, and then they
 * must arrive.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/fetch.h"
#include "net_server.h"

#define SPELLINGS 26

static const char *const bases[] = { "127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254",
	"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",
	"100.64.0.1", "100.100.100.200", "169.254.169.254", "169.254.0.1", "172.16.0.1",
	"172.31.255.254", "192.0.0.170", "192.0.2.1", "192.88.99.1",
	"192.168.0.1", "192.168.255.254", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1",
	"239.255.255.250", "240.0.0.1", "255.255.255.255" };

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

/* Digits that Unicode says are digits too. */
static const char *digits_as(const char *text, const char *const *digits, const char *dot)
{
	char *out = mem_strdup(unit_mem, "");

	for (; *text; text++)
		out = mem_printf(unit_mem, "%s%s", out, *text == '.' ? dot : digits[*text - '0']);
	return out;
}

static const char *percent(const char *text)
{
	char *out = mem_strdup(unit_mem, "");

	for (; *text; text++)
		out = mem_printf(unit_mem, "%s%%%02x", out, (unsigned char)*text);
	return out;
}

static const char *spelling(const char *base, int way)
{
	static const char *const wide[] = { "０", "１", "２", "３", "４", "５", "６", "７", "８", "９" };
	static const char *const ringed[] = { "⓪", "①", "②", "③", "④", "⑤", "⑥", "⑦", "⑧", "⑨" };
	static const char *const arabic[] = { "٠", "١", "٢", "٣", "٤", "٥", "٦", "٧", "٨", "٩" };
	static const char *const plain[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };
	struct in_addr in;
	unsigned n, a, b, c, d;

	ck_assert_int_eq(inet_pton(AF_INET, base, &in), 1);
	n = ntohl(in.s_addr);
	a = n >> 24, b = n >> 16 & 255, c = n >> 8 & 255, d = n & 255;
	switch (way) {
	case 0: return base;
	case 1: return mem_printf(unit_mem, "%u", n);
	case 2: return mem_printf(unit_mem, "0x%x", n);
	case 3: return mem_printf(unit_mem, "0%o", n);
	case 4: return mem_printf(unit_mem, "0%o.0%o.0%o.0%o", a, b, c, d);
	case 5: return mem_printf(unit_mem, "0x%x.0x%x.0x%x.0x%x", a, b, c, d);
	case 6: return mem_printf(unit_mem, "0X%02X.0%03o.%u.0x%08x", a, b, c, d);
	case 7: return mem_printf(unit_mem, "%u.%u.%u", a, b, c << 8 | d);
	case 8: return mem_printf(unit_mem, "%u.%u", a, n & 0xffffff);
	case 9: return mem_printf(unit_mem, "0x%x.%u", a, n & 0xffffff);
	case 10: return mem_printf(unit_mem, "%s.", base);
	case 11: return mem_printf(unit_mem, "000000%o.%u.%u.%u", a, b, c, d);
	case 12: return mem_printf(unit_mem, "[::ffff:%s]", base);
	case 13: return mem_printf(unit_mem, "[::ffff:%x:%x]", n >> 16, n & 0xffff);
	case 14: return mem_printf(unit_mem, "[0:0:0:0:0:FFFF:%s]", base);
	case 15: return mem_printf(unit_mem, "[::%s]", base);
	case 16: return mem_printf(unit_mem, "[::ffff:0:%s]", base);
	case 17: return mem_printf(unit_mem, "[64:ff9b::%s]", base);
	case 18: return mem_printf(unit_mem, "[64:ff9b:1::%x:%x]", n >> 16, n & 0xffff);
	case 19: return mem_printf(unit_mem, "[2002:%x:%x::1]", n >> 16, n & 0xffff);
	case 20: return mem_printf(unit_mem, "[2001:0:102:304:8000:63bf:%x:%x]", (n >> 16) ^ 0xffff,
		(n & 0xffff) ^ 0xffff);
	case 21: return digits_as(base, wide, ".");
	case 22: return digits_as(base, ringed, "。");
	case 23: return digits_as(base, arabic, ".");
	case 24: return digits_as(base, plain, "．");
	default: return percent(base);
	}
}

/* Other ways in; %d is the port somebody listens at. */
static const char *const tricks[] = {
	"http://localhost:%d/", "http://LOCALHOST:%d/", "http://localhost.:%d/",
	"http://%%6c%%6f%%63alhost:%d/", "http://ｌｏｃａｌｈｏｓｔ:%d/",
	"http://[::1]:%d/", "http://[::]:%d/", "http://[0:0:0:0:0:0:0:1]:%d/",
	"http://[0000::0001]:%d/", "http://[::1%%25lo]:%d/", "http://[::1%%lo]:%d/",
	"http://[fe80::1]:%d/", "http://[fe80::1%%25eth0]:%d/", "http://[fc00::1]:%d/",
	"http://[fd00::2]:%d/", "http://[fec0::1]:%d/",
	"http://[ff02::1]:%d/", "http://[100::1]:%d/", "http://[2001:db8::1]:%d/",
	"http://[2001:2::1]:%d/", "http://[2001:10::1]:%d/",
	"http://[3fff::1]:%d/", "http://[5f00::1]:%d/", "http://[::127.0.0.1.]:%d/", "http://[127.0.0.1]:%d/",
	"https://127.0.0.1:%d/", "https://localhost:%d/", "HTTP://127.0.0.1:%d/", "hTTp://127.0.0.1:%d/",
	"http:127.0.0.1:%d/", "http:/127.0.0.1:%d/", "http:///127.0.0.1:%d/",
	"http:////127.0.0.1:%d/", "http:\\\\127.0.0.1:%d/", "//127.0.0.1:%d/",
	"127.0.0.1:%d/", "localhost:%d/", "http://@127.0.0.1:%d/", "http://a@127.0.0.1:%d/",
	"http://a:b@127.0.0.1:%d/",
	"http://" STAND_IN "@127.0.0.1:%d/", "http://" STAND_IN ":80@127.0.0.1:%d/",
	"http://" STAND_IN "#@127.0.0.1:%d/", "http://" STAND_IN "?@127.0.0.1:%d/",
	"http://" STAND_IN "\\@127.0.0.1:%d/", "http://" STAND_IN "%%40127.0.0.1:%d/",
	"http://" STAND_IN "%%2f@127.0.0.1:%d/", "http://127.0.0.1#@" STAND_IN ":%d/",
	"http://127.0.0.1:%d\\@" STAND_IN "/", "http://127.0.0.1:%d#@" STAND_IN "/",
	"http://127.0.0.1:%d?@" STAND_IN "/", "http://127.0.0.1%%00." STAND_IN ":%d/",
	"http://127.0.0.1%%0d%%0aHost:x:%d/", "http://127.0.0.1 :%d/", "http:// 127.0.0.1:%d/",
	" http://127.0.0.1:%d/", "\thttp://127.0.0.1:%d/",
	"http://127.0.0.1\t:%d/", "http://127.0.0.1\n:%d/", "http://127.0.0.1\r\n:%d/",
	"ht\ntp://127.0.0.1:%d/", "http://127.0.0.1:%d /", "http://127.0.0.1:0%d/",
	"http://127.0.0.1:+%d/", "http://127.0.0.1:%d:80/", "http://127.0.0.1:%dx/",
	"http://127.0.0.1.:%d/", "http://127.0.0.1..:%d/", "http://.127.0.0.1:%d/",
	"http://127..0.0.1:%d/", "http://127.0.0.1%%2e:%d/", "http://127%%2e0%%2e0%%2e1:%d/",
	"http://0:%d/", "http://00:%d/", "http://0x0:%d/", "http://0.0:%d/",
	"http://0.:%d/", "http://127.1:%d/", "http://127.0.1:%d/", "http://0x7f.1:%d/",
	"http://0177.1:%d/", "http://1.2.3.4@127.0.0.1:%d/",
	"http://4294967297:%d/", "http://127.0.0.257:%d/", "http://383.0.0.1:%d/",
	"http://0x17f000001:%d/", "http://-2130706433:%d/", "http://127.0.0.1,8.8.8.8:%d/",
	"http://8.8.8.8,127.0.0.1:%d/", "http://{127.0.0.1}:%d/", "http://127.0.0.[1-2]:%d/",
	"http://127.0.0.1;8.8.8.8:%d/", "http://127.0.0.1|8.8.8.8:%d/",
	"file:///etc/passwd?%d", "file://127.0.0.1:%d/etc/passwd", "ftp://127.0.0.1:%d/",
	"gopher://127.0.0.1:%d/_GET", "dict://127.0.0.1:%d/d:x",
	"ldap://127.0.0.1:%d/", "telnet://127.0.0.1:%d/", "smtp://127.0.0.1:%d/",
	"imap://127.0.0.1:%d/", "pop3://127.0.0.1:%d/", "rtsp://127.0.0.1:%d/",
	"scp://127.0.0.1:%d/x", "sftp://127.0.0.1:%d/x", "smb://127.0.0.1:%d/x/y",
	"mqtt://127.0.0.1:%d/x", "tftp://127.0.0.1:%d/x", "ws://127.0.0.1:%d/",
	"unix:/run/stint/web.sock?%d", "http+unix://%%2frun%%2fstint%%2fweb.sock:%d/",
	"javascript:alert(%d)", "data:text/plain,%d", "jar:http://127.0.0.1:%d!/",
	"url:http://127.0.0.1:%d/", "view-source:http://127.0.0.1:%d/", "http://loop.test:%d/",
	"http://LOOP.test:%d/", "http://loop.test.:%d/",
	"http://six.test:%d/", "http://mapped.test:%d/", "http://zero.test:%d/",
	"http://meta.test:%d/", "http://many.test:%d/", "http://xn--loop.test:%d/", "",
	"http://:%d/", "http://?%d", "http://#%d", "?%d", "/%d",
};

static bool is_refusal(enum net_error error)
{
	return error == NET_REFUSED_ADDRESS || error == NET_BAD_URL || error == NET_DNS;
}

static enum net_error fetch(struct net *net, const char *url, int redirects, struct net_answer *answer)
{
	const struct net_request rq = { .url = url, .connect_ms = 2000, .total_ms = 5000,
		.redirects = redirects };

	return net_fetch(net, unit_mem, &rq, answer);
}

static void name_the_inside(void)
{
	net_name("loop.test", "127.0.0.1");
	net_name("six.test", "::1");
	net_name("mapped.test", "::ffff:127.0.0.1");
	net_name("zero.test", "0.0.0.0,::");
	net_name("meta.test", "169.254.169.254");
	net_name("many.test", "10.0.0.1,::1,127.0.0.1,::ffff:127.0.0.1,0.0.0.0");
}

START_TEST(no_spelling_leads_inside)
{
	struct net_server server = net_server_start();
	struct net *net = net_with("");
	struct net_answer answer;
	int tried = 0, refused = 0;

	for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
		for (int way = 0; way < SPELLINGS; way++) {
			const char *url = mem_printf(unit_mem, "http://%s:%d/ok",
				spelling(bases[i], way), server.port);
			enum net_error error = fetch(net, url, 0, &answer);

			ck_assert_msg(is_refusal(error), "%s: %s", url, net_error_name(error));
			tried++;
			refused += error == NET_REFUSED_ADDRESS;
		}
	}
	ck_assert_int_ge(tried, 400);
	/* Most are understood and refused for what they are, not for how they are written. */
	ck_assert_int_ge(refused, tried / 2);
	ck_assert_int_eq(server.counts->inside + server.counts->at_stand_in, 0);
}
END_TEST

START_TEST(no_trick_leads_inside)
{
	struct net_server server = net_server_start();
	struct net *net = net_with(STAND_IN);
	struct net_answer answer;

	name_the_inside();
	ck_assert_int_ge(sizeof tricks / sizeof *tricks, 100);
	for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
		char url[300];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(url, sizeof url, tricks[i], server.port);
#pragma GCC diagnostic pop
		fetch(net, url, 3, &answer);
		ck_assert_msg(!server.counts->inside, "%s", url);
		/* Those that name the stand-in may reach it or not, but nobody else. */
		ck_assert_msg(answer.error != NET_OK || strstr(answer.url, "//" STAND_IN), "%s: %s",
			url, answer.url);
	}
	ck_assert_int_gt(net_name_asked("loop.test"), 0);
	ck_assert_int_gt(net_name_asked("many.test"), 0);
}
END_TEST

START_TEST(no_redirect_leads_inside)
{
	static const char *const statuses[] = { "301", "302", "303", "307", "308" };
	struct net_server server = net_server_start();
	struct net *net = net_with(STAND_IN);
	struct net_answer answer;
	int arrived = 0;

	name_the_inside();
	for (size_t i = 0; i < sizeof bases / sizeof *bases * 5; i++) {
		const char *host = spelling(bases[i / 5], (int)(i % SPELLINGS));
		const char *url = mem_printf(unit_mem,
			"http://" STAND_IN ":%d/redirect/%s?http://%s:%d/ok", server.port,
			statuses[i % 5], host, server.port);
		enum net_error error = fetch(net, url, 3, &answer);

		ck_assert_msg(is_refusal(error), "%s: %s %s", url, net_error_name(error), answer.why);
		arrived++;
	}
	for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
		char to[200];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(to, sizeof to, tricks[i], server.port);
#pragma GCC diagnostic pop
		if (strpbrk(to, " \t\r\n#"))
			continue;
		fetch(net, mem_printf(unit_mem, "http://" STAND_IN ":%d/redirect/302?%s",
			server.port, to), 3, &answer);
		ck_assert_msg(!server.counts->inside, "%s", to);
	}
	ck_assert_int_eq(server.counts->inside, 0);
	ck_assert_int_ge(server.counts->at_stand_in, arrived); /* the redirects themselves were read */
}
END_TEST

START_TEST(a_name_that_flips_is_judged_each_time)
{
	struct net_server server = net_server_start();
	struct net *net = net_with(STAND_IN);
	const char *url = mem_printf(unit_mem, "http://flip.test:%d/ok", server.port);
	const char *again = mem_printf(unit_mem,
		"http://flip.test:%d/redirect/302?http://flip.test:%d/ok", server.port,
		server.port);
	struct net_answer answer;

	net_name("flip.test", STAND_IN "|127.0.0.1|" STAND_IN "|::1");
	ck_assert_int_eq(fetch(net, url, 0, &answer), NET_OK);
	ck_assert_int_eq(fetch(net, url, 0, &answer), NET_REFUSED_ADDRESS);
	ck_assert_str_eq(answer.why, "127.0.0.1 is no public address");
	/* Between two hops of one request. */
	ck_assert_int_eq(fetch(net, again, 3, &answer), NET_REFUSED_ADDRESS);
	ck_assert_str_eq(answer.why, "::1 is no public address");
	ck_assert_int_eq(net_name_asked("flip.test"), 4);
	/* Good and bad in one answer: the good one is taken, the bad one never. */
	net_name("both.test", "127.0.0.1,::1," STAND_IN);
	ck_assert_int_eq(fetch(net, mem_printf(unit_mem, "http://both.test:%d/ok", server.port), 0,
		&answer), NET_OK);
	ck_assert_int_eq(server.counts->inside, 0);
	ck_assert_int_eq(server.counts->at_stand_in, 3);
}
END_TEST

START_TEST(the_environment_is_no_way_around)
{
	struct net_server server = net_server_start();
	struct net *net = net_with(STAND_IN);
	const char *proxy = mem_printf(unit_mem, "http://127.0.0.1:%d", server.port);
	struct net_answer answer;

	setenv("http_proxy", proxy, 1);
	setenv("https_proxy", proxy, 1);
	setenv("all_proxy", proxy, 1);
	setenv("ALL_PROXY", proxy, 1);
	ck_assert_int_eq(fetch(net, mem_printf(unit_mem, "http://" STAND_IN ":%d/ok", server.port),
		0, &answer), NET_OK);
	ck_assert_int_eq(fetch(net, mem_printf(unit_mem, "http://127.0.0.1:%d/ok", server.port), 0,
		&answer), NET_REFUSED_ADDRESS);
	ck_assert_int_eq(fetch(net, mem_printf(unit_mem, "https://unknown.test:%d/ok", server.port),
		0, &answer), NET_DNS);
	ck_assert_int_eq(server.counts->inside, 0);
	ck_assert_int_eq(server.counts->at_stand_in, 1);
}
END_TEST

/* The proof that the tests above can fail: with every network allowed the spellings of loopback do arrive. */
START_TEST(what_is_allowed_does_arrive)
{
	struct net_server server = net_server_start();
	struct net *net = net_with("0.0.0.0/0 ::/0");
	struct net_answer answer;
	int arrived = 0;

	for (size_t i = 0; i < 5; i++) {
		for (int way = 0; way < 15; way++) {
			const char *url = mem_printf(unit_mem, "http://%s:%d/ok",
				spelling(bases[i], way), server.port);

			arrived += fetch(net, url, 0, &answer) == NET_OK;
		}
	}
	ck_assert_int_ge(arrived, 50);
	ck_assert_int_eq(server.counts->inside, arrived);
}
END_TEST

UNIT_MAIN("net_inside", no_spelling_leads_inside, no_trick_leads_inside, no_redirect_leads_inside,
	a_name_that_flips_is_judged_each_time,
	the_environment_is_no_way_around, what_is_allowed_does_arrive)
