#ifndef STINT_HTTP_MASTER_H
#define STINT_HTTP_MASTER_H
/* The master's book of its workers: who lives, who was told to leave, who is wanted. server.c decides, this carries out. */
#include <signal.h>
#include "http/server.h"
#include "http/slots.h"
#include "http/sockets.h"

struct pool_state {
	int fails;       /* deaths at once, one after the other */
	int64_t last_us; /* the latest of them */
	int64_t next_us; /* not forked before */
	int to_replace;  /* workers gone and not yet replaced, for the metrics */
};

struct master {
	const struct http_server *server;
	struct listener *listeners; /* by pool */
	struct pool_state *pools;
	struct slot *slots;
	int nslots;
	sigset_t child_mask;
	int generation, last_generation, newest;
	bool reloading, reload_failed;
};

void master_init(struct master *m, void *mem, const struct http_server *server, struct listener *listeners,
	const sigset_t *child_mask);
/* Takes in the dead. */
void master_reap(struct master *m, int64_t now_us);
/* Forks what the current generation lacks. */
void master_fill(struct master *m, int64_t now_us);
/* Tells workers to leave: those of a generation, or all (generation < 0). Repeated and enforced by master_nudge. */
void master_retire(struct master *m, int generation, int64_t now_us);
/* Says it again to those who were told, kills those who do not hear, and those stuck in a request. */
void master_nudge(struct master *m, int64_t now_us);
int master_alive(const struct master *m);
/* Whether every pool has at least one (or all its) workers of the current generation up. */
bool master_is_up(const struct master *m, bool all);
/* The nearest moment at which there is something to do. */
int64_t master_next_us(const struct master *m, int64_t now_us);

#endif
