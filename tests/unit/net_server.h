#ifndef STINT_NET_SERVER_H
#define STINT_NET_SERVER_H
/*
 * A plain HTTP server on every address of this host, in a process of its own, which counts each connection by the address it
 * came in at: STAND_IN plays a public server (tests allow it by name), anything else is the inside that nobody may reach.
 *
 * And names: this program's own getaddrinfo() stands before libc's for libcurl too, so that a test says what a name
 * resolves to, differently each time if it wants. Numbers, and names it was not told, go to libc, which is kept from asking
 * any server.
 */
#define STAND_IN "127.0.0.9"

struct net_server {
	int port;
	int pid;
	struct net_counts {
		int at_stand_in, inside, requests;
	} *counts; /* shared with the server */
};

/* Answers by path, see net_server.c. Ends with the test. */
struct net_server net_server_start(void);
/* name resolves to these addresses, apart by commas, from now on; each look-up of a list apart by '|' takes the next of it. */
void net_name(const char *name, const char *addresses);
/* How often a name was looked up. */
int net_name_asked(const char *name);
#endif
