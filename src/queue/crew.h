#ifndef STINT_QUEUE_CREW_H
#define STINT_QUEUE_CREW_H
/*
 * A worker: a master and its children. The master forks, watches and reaps, and never talks to a database. Its children:
 *
 *   runners  one job at a time each, of the queues of their pool
 *   relay    pushes due jobs to Redis (one in the whole installation at a time)
 *   sealer   gives events their positions and publishes them (likewise)
 *   intake   takes the calls of Celery clients and carries answers to them (likewise)
 *   keeper   heartbeats of this worker's leases, what crashed, leases that ran out, schedules, counters
 *
 * SIGTERM, SIGINT  runners finish what they are at, at most leave_s seconds; then it is given back, no attempt charged
 * SIGHUP           reload() is called in the master; when it says yes new children start and the old ones leave
 * a job past its hard limit, or its memory: its child is killed, and the job has crashed (three times: dead)
 */
#include "queue/board.h"
#include "queue/job.h"

struct crew {
	const struct conf *conf;
	const struct job_kind *const *kinds; /* ends with NULL */
	const char *queues;                  /* as conf worker_queues: "default:2,mail+outside:1" */
	bool until_idle;                     /* leave when there is nothing left to do */
	int leave_s;                         /* 0: 25 */
	void *arg;                           /* job->arg of children that make none */
	void *(*child_start)(void *mem, struct crew *crew); /* in a runner: gives job->arg; NULL: none is made */
	bool (*reload)(struct crew *crew);   /* in the master: may put another conf in */
};

/* Returns the exit status of the program. */
int crew_run(struct crew *crew);

/* What a child gets of the crew; see child.c. */
struct pool {
	const char *queues[8];
	int nqueues, children;
};
/* The pools of a text; NULL, *why says what is wrong. */
struct pool *pools_parse(void *mem, const char *text, int *n, const char **why);
/* What --queues means beside worker_queues: "all" is all of it, and a set that stands in it ("mail", "mail+outside") is had with
 * its number of children. Below mem, or borrowed. */
const char *pools_choose(void *mem, const char *given, const char *configured);

#endif
