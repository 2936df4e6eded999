#ifndef STINT_QUEUE_CHILD_H
#define STINT_QUEUE_CHILD_H
/* What the children of a worker have in common: their connections, their seat, and when to leave. */
#include <signal.h>

#include "queue/crew.h"

struct child {
	void *mem;
	const struct crew *crew;
	struct board *board;
	struct seat *seat;
	const struct pool *pools; /* all, for the keeper */
	int npools;
	const struct pool *pool; /* of a runner */
	const char *worker_id;
	struct db *db;
	struct redis *redis;
};

/* SIGTERM was received: come to an end. */
bool child_is_leaving(void);
/* Sleeps, but not longer than until a signal. */
void child_nap(int ms);
/* True while this connection holds the advisory lock of the one relay (1); taken when it is free. */
bool child_leads(struct child *c, int what, int64_t *held_generation);

enum { EXIT_WRONG = 78 }; /* what no new try will mend */

void child_signals(const sigset_t *mask);
void runner_main(struct child *c);
void relay_main(struct child *c);
void sealer_main(struct child *c);
void intake_main(struct child *c);
void keeper_main(struct child *c);

/* "jobs:<queue>:<priority>", or "jobs:<queue>:quick:<priority>". Below mem. */
const char *jobs_key(void *mem, const char *queue, int priority, bool quick);
extern const int job_priorities[4];

/* PostgreSQL's text of an array, "{a,b}", of words that need no quotes (ids, numbers). Below mem. */
const char *array_text(void *mem, const char *const *words, int n);

#endif
