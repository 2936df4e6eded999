#ifndef STINT_NET_URL_H
#define STINT_NET_URL_H
/*
 * Whether an address that somebody typed is one that Stint would call, told when it is typed. It saves people from waiting for
 * a failure; it guards nothing: names are not looked up here, and net_fetch judges what they lead to when the socket is opened.
 */
#include "net/address.h"

enum net_url_fault {
	NET_URL_GOOD,
	NET_URL_BAD,      /* no absolute http(s) address with a host, or one with a user name or a fragment in it */
	NET_URL_PRIVATE,  /* plainly names what is not public and not allowed: an address, localhost, a name ending in .local … */
	NET_URL_INSECURE, /* http, and not to an allowed network */
};

/* allow may be NULL. any_http: http will do everywhere (development). */
enum net_url_fault net_url_judge(void *mem, const struct net_allow *allow, bool any_http, const char *url);
#endif
