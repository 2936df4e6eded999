#ifndef STINT_QUEUE_RUNNER_H
#define STINT_QUEUE_RUNNER_H
/* A runner's own; for runner.c, job.c and quick.c. */
#include "queue/child.h"

enum { EFFECTS_MAX = 12, BATCH = 50 };

struct runner {
	struct child *child;
	void *arg; /* job->arg */
	const char *holder;         /* this connection's number, as text */
	int64_t holder_generation;  /* of the connection that has it */
	/* of the job at hand */
	struct job job;
	const char *lease;
	int kind; /* place */
	struct db_stmt effects[EFFECTS_MAX];
	int neffects;
	bool overflow; /* more effects than that */
	bool batch;    /* it is run among others: what needs the database sends it out of the batch */
	bool demand;   /* and it did */
	struct json_object *result, *memo;
	const char *why;
};

/* One job that has been claimed or taken: fills r->job from the row, runs it, and empties r again with runner_job_end. */
bool runner_job_begin(struct runner *r, const struct db_result *rows, int row);
enum job_end runner_job_run(struct runner *r);
void runner_job_end(struct runner *r);

/* Quick jobs of one list, in one transaction. False when PostgreSQL was not there. */
bool quick_run(struct runner *r, const char **ids, int n);

#endif
