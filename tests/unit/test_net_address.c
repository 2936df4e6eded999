/* The judge of addresses: both edges of every network that is not public, and what the operator allows. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "net/address.h"

union any {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t parse(const char *text, union any *out)
{
	memset(out, 0, sizeof *out);
	if (strchr(text, ':')) {
		out->v6.sin6_family = AF_INET6;
		ck_assert_msg(inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1, "%s", text);
		return sizeof out->v6;
	}
	out->v4.sin_family = AF_INET;
	ck_assert_msg(inet_pton(AF_INET, text, &out->v4.sin_addr) == 1, "%s", text);
	return sizeof out->v4;
}

static bool is_public(const char *text)
{
	union any any;
	socklen_t len = parse(text, &any);

	return net_address_is_public(&any.sa, len);
}

static bool is_allowed(const struct net_allow *allow, const char *text)
{
	union any any;
	socklen_t len = parse(text, &any);

	return net_address_is_allowed(allow, &any.sa, len);
}

/* First and last address of each network, as the registries name it. */
START_TEST(special_networks_are_not_public)
{
	static const char *const edges[] = {
		"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0",
		"100.127.255.255", "127.0.0.0",
		"127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255",
		"172.16.0.0", "172.31.255.255",
		"192.0.0.0", "192.0.0.170", "192.0.0.255", "192.0.2.0", "192.0.2.255",
		"192.88.99.0", "192.88.99.255",
		"192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.0",
		"198.51.100.255",
		"203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0",
		"255.255.255.255",
		"::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "::ffff:0.0.0.0",
		"::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8",
		"64:ff9b::", "64:ff9b::8.8.8.8", "64:ff9b::255.255.255.255", "64:ff9b:1::",
		"64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
		"100::", "100::ffff:ffff:ffff:ffff", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::", "2001:10::1",
		"2001:20::1", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:7f00:1::1",
		"2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "5f00::1", "fc00::",
		"fd00::1", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"fe80::", "fe80::1", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::1",
		"feff::1", "ff00::", "ff02::1",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	};

	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
		ck_assert_msg(!is_public(edges[i]), "%s", edges[i]);
}
END_TEST

START_TEST(their_neighbours_are)
{
	static const char *const beside[] = {
		"1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255",
		"100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255",
		"192.0.1.0", "192.0.3.0", "192.88.98.255",
		"192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
		"198.51.99.255", "198.51.101.0",
		"203.0.112.255", "203.0.114.0", "223.255.255.255",
		"2001:200::", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::",
		"2001:4860:4860::8888", "2003::", "2606:4700:4700::1111",
		"2a00:1450:4001::1", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::",
	};

	for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
		ck_assert_msg(is_public(beside[i]), "%s", beside[i]);
}
END_TEST

START_TEST(what_is_no_internet_address_is_not_public)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "/run/stint/web.sock" };
	union any any;
	socklen_t len = parse("8.8.8.8", &any);

	ck_assert(!net_address_is_public((struct sockaddr *)&local, sizeof local));
	ck_assert(net_address_is_public(&any.sa, len));
	ck_assert(!net_address_is_public(&any.sa, len - 1)); /* cut short */
	any.sa.sa_family = AF_UNSPEC;
	ck_assert(!net_address_is_public(&any.sa, len));
}
END_TEST

START_TEST(the_operator_allows_networks_by_name)
{
	const char *why = NULL;
	struct net_allow *allow = net_allow_parse(unit_mem,
		" 10.1.2.0/23, 127.0.0.1 fd00:1::/32,0.0.0.0/32", &why);

	ck_assert_msg(allow, "%s", why);
	ck_assert(is_allowed(allow, "10.1.2.0") && is_allowed(allow, "10.1.3.255"));
	ck_assert(!is_allowed(allow, "10.1.1.255") && !is_allowed(allow, "10.1.4.0"));
	ck_assert(is_allowed(allow, "127.0.0.1") && !is_allowed(allow, "127.0.0.2"));
	ck_assert(is_allowed(allow, "fd00:1::7") && !is_allowed(allow, "fd00:2::7"));
	ck_assert(is_allowed(allow, "8.8.8.8") && is_allowed(NULL, "8.8.8.8"));
	/* Another spelling of an allowed address is another address. */
	ck_assert(!is_allowed(allow, "::ffff:127.0.0.1") && !is_allowed(allow, "::127.0.0.1"));
	ck_assert(!is_allowed(NULL, "127.0.0.1"));
	allow = net_allow_parse(unit_mem, "", &why);
	ck_assert(allow && !is_allowed(allow, "127.0.0.1"));
	allow = net_allow_parse(unit_mem, "0.0.0.0/0 ::/0", &why);
	ck_assert(allow && is_allowed(allow, "127.0.0.1") && is_allowed(allow, "::1"));
}
END_TEST

START_TEST(a_wrong_network_is_named)
{
	static const char *const bad[] = { "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/-0",
		"10.0.0/8", "10.0.0.1/8", "fd00::1/8", "fd00::/129",
		"localhost", "10.0.0.0/8/8", "0x7f.0.0.1", "10.0.0.0/8;::1", "[::1]" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *why = NULL;
		char text[80];

		snprintf(text, sizeof text, "127.0.0.1, %s", bad[i]);
		ck_assert_msg(!net_allow_parse(unit_mem, text, &why), "%s", bad[i]);
		ck_assert_msg(strstr(why, bad[i]), "%s: %s", bad[i], why);
	}
}
END_TEST

UNIT_MAIN("net_address", special_networks_are_not_public, their_neighbours_are,
	what_is_no_internet_address_is_not_public,
	the_operator_allows_networks_by_name, a_wrong_network_is_named)
