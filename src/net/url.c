/*
 * See url.h. The parser is the one that connects (libcurl's), so odd spellings of an address (0x7f.1, 2130706433, full-width
 * digits) are read as they would be, and judged as what they are.
 */
#include "net/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/private.h"

enum host_kind { HOST_NAME,    /* leads wherever it leads */
	HOST_PUBLIC,
	HOST_ALLOWED,          /* not public, but the operator allows it */
	HOST_PRIVATE };

static char *part(void *mem, CURLU *url, CURLUPart which, unsigned flags)
{
	char *text = NULL, *copy = NULL;

	if (curl_url_get(url, which, &text, flags) == CURLUE_OK)
		copy = mem_strdup(mem, text);
	curl_free(text);
	return copy;
}

/* An address in figures; host of IPv6 stands in brackets, maybe with a zone. False when it is none. */
static bool address_of(void *mem, const char *host, struct sockaddr_storage *out, socklen_t *len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;

	memset(out, 0, sizeof *out);
	if (*host == '[') {
		v6->sin6_family = AF_INET6;
		*len = sizeof *v6;
		return inet_pton(AF_INET6, mem_strndup(mem, host + 1, strcspn(host + 1, "]%")), &v6->sin6_addr) == 1;
	}
	v4->sin_family = AF_INET;
	*len = sizeof *v4;
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1;
}

static enum host_kind address_kind(const struct net_allow *allow, const struct sockaddr_storage *address, socklen_t len)
{
	const struct sockaddr *sa = (const struct sockaddr *)(const void *)address;

	if (net_address_is_public(sa, len))
		return HOST_PUBLIC;
	return net_address_is_allowed(allow, sa, len) ? HOST_ALLOWED : HOST_PRIVATE;
}

/* Names that by their own rules never are of the public Internet (RFC 6761, 6762, 8375, 9476 and ICANN's .internal). */
static bool is_inner_name(const char *host)
{
	static const char *const ends[] = { ".local", ".internal", ".home.arpa", ".alt", ".onion", ".in-addr.arpa", ".ip6.arpa", NULL };

	for (int i = 0; ends[i]; i++) {
		if (str_ends(host, ends[i]))
			return true;
	}
	return false;
}

static enum host_kind host_kind(void *mem, const struct net_allow *allow, const char *host)
{
	struct sockaddr_storage address;
	socklen_t len;
	size_t n;
	char *name = mem_strdup(mem, host);

	for (char *c = name; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	n = strlen(name);
	if (n && name[n - 1] == '.')
		name[n - 1] = 0;
	if (address_of(mem, name, &address, &len))
		return address_kind(allow, &address, len);
	if (str_eq(name, "localhost") || str_ends(name, ".localhost"))
		return address_of(mem, "127.0.0.1", &address, &len) ? address_kind(allow, &address, len) : HOST_PRIVATE;
	return is_inner_name(name) ? HOST_PRIVATE : HOST_NAME;
}

static enum net_url_fault judge(void *mem, const struct net_allow *allow, bool any_http, CURLU *url)
{
	const char *scheme = part(mem, url, CURLUPART_SCHEME, 0), *host = part(mem, url, CURLUPART_HOST, 0);
	bool https = str_eq(scheme, "https");
	enum host_kind kind;

	if (!host || !*host || (!https && !str_eq(scheme, "http")) || part(mem, url, CURLUPART_FRAGMENT, 0))
		return NET_URL_BAD;
	kind = host_kind(mem, allow, host);
	if (kind == HOST_PRIVATE)
		return NET_URL_PRIVATE;
	return https || any_http || kind == HOST_ALLOWED ? NET_URL_GOOD : NET_URL_INSECURE;
}

enum net_url_fault net_url_judge(void *mem, const struct net_allow *allow, bool any_http, const char *text)
{
	enum net_url_fault fault = NET_URL_BAD;
	const char *rest = strncasecmp(text, "http://", 7) == 0 ? text + 7 : strncasecmp(text, "https://", 8) == 0 ? text + 8 : "";
	CURLU *url = curl_url();

	if (*rest && !strchr("/?#\\", *rest) && curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK)
		fault = judge(mem, allow, any_http, url);
	curl_url_cleanup(url);
	return fault;
}
