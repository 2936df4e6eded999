#ifndef STINT_NET_FETCH_H
#define STINT_NET_FETCH_H
/*
 * One outgoing HTTP(S) request, to an address that somebody else chose. The address is judged when the socket is opened
 * (see address.h), so neither a spelling nor a name that changes its mind leads inside. No proxies, no netrc, no cookies,
 * no reuse of connections, HTTP/1.1 only, bodies as they come (nothing is unpacked).
 *
 *	const struct net_header headers[] = { { "Content-Type", "application/json" }, { 0 } };
 *	const struct net_request rq = { .method = "POST", .url = url, .headers = headers, .body = text, .body_len = len };
 *	struct net_answer answer;
 *	if (net_fetch(net, mem, &rq, &answer) == NET_OK && answer.status / 100 == 2)
 */
#include <stddef.h>
#include <stdint.h>

#include "net/net.h"

#define NET_ANSWER_MAX ((size_t)64 * 1024)
#define NET_CONNECT_MS 5000
#define NET_TOTAL_MS 15000

struct net_header {
	const char *name, *value;
};

struct net_request {
	const char *method;               /* in capitals; NULL means GET */
	const char *url;                  /* http or https, absolute, ASCII or IDN, without user name */
	const struct net_header *headers; /* ends with name NULL; may be NULL. Of one line each; not Host, Content-Length, Connection … */
	const char *body;                 /* any bytes; NULL: none */
	size_t body_len;
	size_t answer_max;                /* bytes of body taken; 0: NET_ANSWER_MAX */
	int connect_ms, total_ms;         /* 0: NET_CONNECT_MS, NET_TOTAL_MS; total covers name, redirects and all */
	/* Hops followed, each judged like the first. 303, and 301 and 302 of a POST, go on as GET without body. Not followed
	 * (NET_REDIRECTED): from https to http, a body to another origin. To another origin none of the headers above go along. */
	int redirects;
};

/* Below the mem given to net_fetch; no pointer is ever NULL. */
struct net_answer {
	enum net_error error;
	const char *why;                  /* one line for logs and people, "" when NET_OK; holds no secret of the request */
	int status;                       /* of the last answer; 0: none came */
	const struct net_header *headers; /* of the last answer, names in lower case, end with name NULL */
	const char *body;                 /* NUL behind it; with NET_TOO_LARGE what fitted */
	size_t body_len;
	const char *url;                  /* where it ended, after redirects */
	int64_t took_ms;
};

/* Always fills *answer and returns its error. Any status that came whole is NET_OK, but for redirects: judging it is the caller's. */
enum net_error net_fetch(struct net *net, void *mem, const struct net_request *rq, struct net_answer *answer);
/* The first header of that name (in lower case), or NULL. */
const char *net_answer_header(const struct net_answer *answer, const char *name);
/* What Retry-After says, as seconds from now, whether it was written as seconds or as a date; 0 when it says nothing, or nothing
 * that can be read. As large as the other side likes: bounds are the caller's. */
int64_t net_answer_retry_s(const struct net_answer *answer);
#endif
