#ifndef STINT_NET_ADDRESS_H
#define STINT_NET_ADDRESS_H
/*
 * Which addresses Stint may connect to on somebody else's word: public unicast ones, as IANA's special-purpose
 * registries say, and whatever networks the operator allows by name. Pure: text and numbers in, a judgement out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct net_allow; /* named networks */

/* "127.0.0.0/8, fd00::/8, 10.1.2.3": networks apart by commas or blanks, without a length one address. "" is none.
 * NULL, *why (below mem) names the wrong one. */
struct net_allow *net_allow_parse(void *mem, const char *text, const char **why);
/* AF_INET or AF_INET6, and a public unicast address; anything else is false. */
bool net_address_is_public(const struct sockaddr *address, socklen_t len);
/* Public, or inside an allowed network; allow may be NULL. An IPv4 address written into an IPv6 one (mapped, compatible, NAT64,
 * 6to4, Teredo) is an IPv6 address, never public, and inside IPv6 networks alone. */
bool net_address_is_allowed(const struct net_allow *allow, const struct sockaddr *address, socklen_t len);
#endif
