#ifndef STINT_NET_NET_H
#define STINT_NET_NET_H
/*
 * The way out, and the only user of libcurl: HTTP(S) by fetch.h, mail by smtp.h. A struct net is what both need of the
 * configuration, checked once. It belongs to one process: made after forking, never shared with a child.
 * Calls block until they are done or out of time: jobs and commands make them, requests do not.
 */
#include "base/conf.h"

struct net;

enum net_error {
	NET_OK,
	NET_BAD_URL,         /* no http(s) address, or one with a user name in it */
	NET_BAD_REQUEST,     /* a method, header, sender, recipient or message that cannot be sent as it is */
	NET_REFUSED_ADDRESS, /* leads to an address that is not public; nothing was connected to */
	NET_DNS,             /* no such name, or nobody answers for it */
	NET_CONNECT,         /* nobody listens there, or no way there */
	NET_TLS,             /* no TLS, or a certificate that does not prove the name */
	NET_TIMEOUT,
	NET_TOO_LARGE,       /* the answer is larger than the caller takes */
	NET_REDIRECTED,      /* the answer points elsewhere and is not followed, or once too often */
	NET_BROKEN,          /* cut off, or not what the protocol says */
	NET_AUTH,            /* the mail server does not accept user and password */
	NET_ANSWERED,        /* the mail server said no: see its code and words */
};

/* NULL, *why says which option is wrong and what would be right. Text of conf is borrowed. */
struct net *net_new(void *mem, const struct conf *conf, const char **why);
/* "refused_address": the same for ever, for logs, tables and programs. NET_OK is "ok". */
const char *net_error_name(enum net_error error);
#endif
