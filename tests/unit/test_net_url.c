/* What is said of an address when it is typed: odd spellings are read as the one who connects reads them. */
#include "unit.h"

#include "base/mem.h"
#include "net/url.h"

static const struct net_allow *allowing(const char *text)
{
	const char *why = NULL;
	const struct net_allow *allow = net_allow_parse(unit_mem, text, &why);

	ck_assert_msg(allow, "%s", why);
	return allow;
}

static void all_are(const char *const *urls, enum net_url_fault wanted, const char *allow, bool any_http)
{
	for (int i = 0; urls[i]; i++) {
		enum net_url_fault got = net_url_judge(unit_mem, allow ? allowing(allow) : NULL, any_http, urls[i]);

		ck_assert_msg(got == wanted, "%s: %d, wanted %d", urls[i], (int)got, (int)wanted);
	}
}

static const char *const inner[] = { "https://127.0.0.1/", "https://127.1/", "https://0x7f000001/",
	"https://2130706433", "https://017700000001/",
	"https://0/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:8.8.8.8]/",
		"https://[fe80::1%25eth0]/", "https://10.9.8.7:8443/x",
	"https://169.254.169.254/", "https://localhost/", "https://LOCALHOST./",
		"https://a.localhost", "https://printer.local", "https://db.internal./x",
	"https://nas.home.arpa/", "https://1.0.0.127.in-addr.arpa/", "https://x.onion/", "http://192.168.0.1/", NULL };

START_TEST(what_is_no_address_is_bad)
{
	static const char *const urls[] = { "", "x", "example.org", "//example.org", "https://",
		"https:///x", "https://?", "https:example.org", "ftp://example.org/",
		"gopher://example.org/", "file:///etc/passwd", "https://a@example.org/",
			"https://a:b@example.org/", "https://example.org/#x",
			"https://example.org:99999/",
		"https://exa mple.org/", "https://[::1", "https://[1.2.3.4]/", NULL };

	all_are(urls, NET_URL_BAD, "0.0.0.0/0, ::/0", true);
}
END_TEST

START_TEST(what_plainly_leads_inside_is_private)
{
	all_are(inner, NET_URL_PRIVATE, NULL, false);
	all_are(inner, NET_URL_PRIVATE, "203.0.113.0/24", true);
}
END_TEST

START_TEST(what_the_operator_allows_is_good_without_tls_too)
{
	static const char *const urls[] = { "http://127.0.0.1:8080/x", "http://127.9/",
		"https://127.0.0.1/", "http://localhost:3000/", "http://10.1.2.3/",
		"http://[fd00::7]/", NULL };
	static const char *const others[] = { "http://10.1.3.1/", "http://[fd01::7]/", "http://printer.local/", NULL };

	all_are(urls, NET_URL_GOOD, "127.0.0.0/8, 10.1.2.0/24, fd00::/16", false);
	all_are(others, NET_URL_PRIVATE, "127.0.0.0/8, 10.1.2.0/24, fd00::/16", false);
}
END_TEST

START_TEST(what_is_public_wants_tls)
{
	static const char *const good[] = { "https://example.org", "HTTPS://EXAMPLE.ORG:8443/a?b=c",
		"https://1.1.1.1/", "https://[2606:4700:4700::1111]/", "https://b\xc3\xbc"
		"cher.example/", "https://local/", "https://mylocal/", NULL };
	static const char *const plain[] = { "http://example.org/", "http://1.1.1.1/", "http://[2606:4700:4700::1111]/", NULL };

	all_are(good, NET_URL_GOOD, NULL, false);
	all_are(plain, NET_URL_INSECURE, "127.0.0.0/8", false);
	all_are(plain, NET_URL_GOOD, NULL, true);
}
END_TEST

UNIT_MAIN("net_url", what_is_no_address_is_bad, what_plainly_leads_inside_is_private,
	what_the_operator_allows_is_good_without_tls_too, what_is_public_wants_tls)
