#ifndef STINT_QUEUE_JOB_H
#define STINT_QUEUE_JOB_H
/*
 * What a job is to those who write one. A kind is declared by a struct at the head of its file (src/jobs/), run() does the
 * work, and what it returns says what becomes of the job:
 *
 *	JOB_OK      done; its effects and job_result are stored in one transaction
 *	JOB_RETRY   did not work out; again after a rest that grows (15 s + n^4, ±10 %), dead after max_attempts
 *	JOB_SNOOZE  not yet: again after job->delay_s, no attempt charged; job_memo is kept until then
 *	JOB_CANCEL  not needed any more
 *	JOB_DEAD    will never work out; kept for somebody to look at
 *
 * A job may be run more than once (a host dies, a lease runs out), so what it does outside must bear that: give the outside
 * world the key "job:<id>". What it does inside the database happens once: job_effect only notes a statement; all of them
 * run together with the settlement, and not at all when the lease was lost. No transaction is open while run() works.
 */
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "db/db.h"
#include "redis/redis.h"

enum job_end { JOB_OK,
	JOB_RETRY,
	JOB_SNOOZE,
	JOB_CANCEL,
	JOB_DEAD };

struct job;

struct job_kind {
	const char *name;  /* "notification.mail" */
	const char *about; /* one line for operators */
	const char *queue; /* NULL: "default" */
	int priority;      /* 0 (first), 3, 6, 9; see PRIORITY_* */
	int max_attempts;  /* 0: 20 */
	int soft_s;        /* then job_should_stop; 0: 60 */
	int hard_s;        /* then its process is killed; 0: soft_s + 30 */
	int rate_per_minute; /* of one organization; 0: no limit */
	int keep_s;        /* how long a job that is done stays readable; 0: its row goes at once */
	bool quick;        /* milliseconds, no effects in the database: run and settled in batches */
	bool is_public;    /* may be called from outside (Celery) */
	const char *const *params; /* names of its arguments in their order, ends with NULL: what is called by position, and by no
				      other name, from outside; NULL: by name alone */
	const char *schedule; /* cron, five fields; NULL: none */
	const char *zone;     /* of the schedule; NULL: UTC */
	const char *backfill; /* slots missed while nobody ran: "none", "last" (when NULL), "all" */
	enum job_end (*run)(struct job *j);
};

struct job {
	void *mem; /* goes when the job has ended */
	const struct job_kind *kind;
	const struct conf *conf;
	void *arg; /* what the program gave the crew; see crew.h */
	const char *id, *organization_id, *member_id; /* the last two may be NULL */
	struct json_object *args, *memo;              /* memo: what the last job_memo left, or NULL */
	int attempt;                                  /* 1, 2 … */
	bool is_last;                                 /* no attempt after this one */
	double delay_s;                               /* for JOB_SNOOZE; with JOB_RETRY, > 0 instead of the usual rest */
	struct runner *runner;
};

const char *job_arg(const struct job *j, const char *name); /* text, or NULL */

/* Reads at once, for the job's organization, in a transaction of its own. given: name, value, …, NULL. */
enum err job_read(struct job *j, const char *query, const char *const *given, struct db_result **rows);
/* Notes a statement for the end; dropped unless the job ends JOB_OK. At most 12; values are copied. */
void job_effect(struct job *j, const char *query, const char *const *given);
/* Runs a statement that writes, now and in a transaction of its own, under the lease: for what must be kept even when the job
 * fails (a ledger, progress). */
enum err job_write(struct job *j, const char *query, const char *const *given, struct db_result **rows);

void job_result(struct job *j, struct json_object *result); /* takes the reference */
void job_memo(struct job *j, struct json_object *memo);     /* for JOB_SNOOZE and JOB_RETRY; takes the reference */
void job_why(struct job *j, const char *format, ...) __attribute__((format(printf, 2, 3))); /* of an end that is not OK */

/* How the why of a JOB_DEAD begins when the arguments are at fault: a Celery client gets a ValueError. */
#define JOB_WHY_INVALID "invalid arguments: "

/* The time limit is near, the job was cancelled, or the worker is leaving: come to an end soon. What returns JOB_RETRY after
 * this because the worker leaves is charged no attempt. */
bool job_should_stop(const struct job *j);

/* Redis, for jobs that carry something there. */
struct redis *job_redis(struct job *j);

/* Kinds of a program; ends with NULL. */
const struct job_kind *job_kind_find(const struct job_kind *const *kinds, const char *name);
/* The declaration for jobs.kinds_declare, below mem. */
const char *job_kinds_json(void *mem, const struct job_kind *const *kinds);

/* Enqueues outside of any other transaction; inside one, use the SQL function. options: JSON text or NULL. *id below mem, may be NULL. */
enum err job_enqueue(struct db *db, void *mem, const char *kind, const char *args, const char *options, const char **id);

#endif
