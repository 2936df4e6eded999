/*
 * Addresses judged by networks: IANA's special-purpose registries (2025) and what else is no host of the public Internet.
 *
 * IPv4 is public unless listed. IPv6 is the other way round: only 2000::/3 is given out, so whatever stands outside is
 * refused without a list (::, ::1, mapped and compatible, 64:ff9b::, 100::, 5f00::, fc00::, fe80::, ff00::), and inside the
 * ways back into IPv4 and the networks of papers and tests are listed. What IANA gives out anew is refused until it stands here:
 * the mistake that harms nobody.
 *
 * It must not resolve names, nor parse what a person typed as an address: judged are the bytes that connect() gets.
 */
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct network {
	int family;
	unsigned char address[16];
	int bits;
};

struct net_allow {
	struct network *networks;
	size_t count;
};

#define V4(a, b, c, d, bits) { AF_INET, { a, b, c, d }, bits }

static const struct network special4[] = {
	V4(0, 0, 0, 0, 8), /* this network */
	V4(10, 0, 0, 0, 8), /* private */
	V4(100, 64, 0, 0, 10), /* shared by carriers; clouds keep metadata there */
	V4(127, 0, 0, 0, 8), /* loopback */
	V4(169, 254, 0, 0, 16), /* link-local; metadata of clouds */
	V4(172, 16, 0, 0, 12), /* private */
	V4(192, 0, 0, 0, 24), /* protocol assignments */
	V4(192, 0, 2, 0, 24), /* documentation */
	V4(192, 88, 99, 0, 24), /* 6to4 relays */
	V4(192, 168, 0, 0, 16), /* private */
	V4(198, 18, 0, 0, 15), /* benchmarks */
	V4(198, 51, 100, 0, 24), /* documentation */
	V4(203, 0, 113, 0, 24), /* documentation */
	V4(224, 0, 0, 0, 4), /* multicast */
	V4(240, 0, 0, 0, 4), /* reserved, broadcast */
};

static const struct network unicast6 = { AF_INET6, { 0x20 }, 3 };

static const struct network special6[] = {
	{ AF_INET6, { 0x20, 0x01, 0x00 }, 23 }, /* protocol assignments: Teredo, ORCHID, benchmarks … */
	{ AF_INET6, { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
	{ AF_INET6, { 0x20, 0x02 }, 16 }, /* 6to4 */
	{ AF_INET6, { 0x3f, 0xff }, 20 }, /* documentation */
};

static bool is_inside(const unsigned char *address, const struct network *network)
{
	int whole = network->bits / 8, rest = network->bits % 8;

	if (memcmp(address, network->address, (size_t)whole) != 0)
		return false;
	return !rest || (address[whole] ^ network->address[whole]) >> (8 - rest) == 0;
}

/* The bytes in network order; NULL for what is neither IPv4 nor IPv6. */
static const unsigned char *bytes_of(const struct sockaddr *address, socklen_t len)
{
	if (len >= sizeof(struct sockaddr_in) && address->sa_family == AF_INET)
		return (const unsigned char *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
	if (len >= sizeof(struct sockaddr_in6) && address->sa_family == AF_INET6)
		return (const unsigned char *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	return NULL;
}

bool net_address_is_public(const struct sockaddr *address, socklen_t len)
{
	const unsigned char *bytes = bytes_of(address, len);
	bool v4 = bytes && address->sa_family == AF_INET;
	const struct network *list = v4 ? special4 : special6;
	size_t count = v4 ? sizeof special4 / sizeof *special4 : sizeof special6 / sizeof *special6;

	if (!bytes || (!v4 && !is_inside(bytes, &unicast6)))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (is_inside(bytes, &list[i]))
			return false;
	}
	return true;
}

bool net_address_is_allowed(const struct net_allow *allow, const struct sockaddr *address, socklen_t len)
{
	const unsigned char *bytes = bytes_of(address, len);

	if (!bytes)
		return false;
	for (size_t i = 0; allow && i < allow->count; i++) {
		if (allow->networks[i].family == address->sa_family && is_inside(bytes, &allow->networks[i]))
			return true;
	}
	return net_address_is_public(address, len);
}

/* A bit set behind the length would mean that another network was meant. */
static bool is_clean(const struct network *n, int most)
{
	for (int bit = n->bits; bit < most; bit++) {
		if (n->address[bit / 8] & (0x80 >> bit % 8))
			return false;
	}
	return true;
}

static const char *network_parse(void *mem, const char *word, struct network *out)
{
	const char *slash = strchr(word, '/');
	const char *address = slash ? mem_strndup(mem, word, (size_t)(slash - word)) : word;
	int64_t bits;
	int most;

	*out = (struct network){ .family = strchr(address, ':') ? AF_INET6 : AF_INET };
	most = out->family == AF_INET6 ? 128 : 32;
	bits = most;
	if (inet_pton(out->family, address, out->address) != 1)
		return mem_printf(mem, "\"%s\" is no network. Write 10.1.2.0/24 or fd00::/8", word);
	if (slash && (!str_to_int(slash + 1, 0, most, &bits) || slash[1] == '-'))
		return mem_printf(mem, "\"%s\": the length is a number from 0 to %d", word, most);
	out->bits = (int)bits;
	if (!is_clean(out, most))
		return mem_printf(mem,
			"\"%s\" has bits set behind its length. Name the network's first address",
			word);
	return NULL;
}

struct net_allow *net_allow_parse(void *mem, const char *text, const char **why)
{
	struct net_allow *allow = mem_new(mem, struct net_allow);

	for (const char *at = text + strspn(text, ", "); *at; at += strspn(at, ", ")) {
		size_t len = strcspn(at, ", ");
		const char *fault;

		allow->networks = mem_grow(allow, allow->networks, struct network, allow->count + 1);
		fault = network_parse(allow, mem_strndup(allow, at, len), &allow->networks[allow->count++]);
		if (fault) {
			*why = mem_strdup(mem, fault);
			mem_free(allow);
			return NULL;
		}
		at += len;
	}
	return allow;
}
