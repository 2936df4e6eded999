/*
 * A runner: pops an id, claims the job, runs it, settles. One at a time; a batch of quick ones counts as one.
 *
 * Popping before claiming may lose an id (the process dies in between, Redis gives it to nobody): the relay sees the job wait and
 * pushes again. Claiming before running is what makes sure: whoever holds the lease runs the job, and what it did counts only
 * while the lease is its own. The settlement and the job's effects are one transaction in one round trip.
 *
 * When the answer to a settlement is lost nobody knows whether it was done, so it is sent again for as long as the lease may
 * last: a second one is refused by the fence and changes nothing.
 */
#include "queue/runner.h"

#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "queue/kinds.h"

enum { POP_WAIT_MS = 1000, AWAY_NAP_MS = 200, RETRY_NAP_MS = 250, UNKNOWN_REST_S = 30 };

static const char *const end_names[] = { "ok", "retry", "snooze", "cancel", "dead" };

static bool hold_is_whole(const struct runner *r)
{
	return r->holder && r->holder_generation == db_generation(r->child->db);
}

/* The advisory lock that says this child lives belongs to its connection: a new one needs a new number. */
static bool hold(struct runner *r)
{
	struct child *c = r->child;
	struct db_stmt stmt;
	struct db_result *rows = NULL;
	void *mem;

	if (hold_is_whole(r))
		return true;
	mem = mem_root("hold");
	stmt = db_bind(mem, "jobs_hold", NULL);
	fail_point("hold.before");
	if (db_run(c->db, mem, &stmt, 1, false, &rows, NULL) == OK) {
		r->holder = mem_strdup(c->mem, db_text(rows, 0, "holder"));
		r->holder_generation = db_generation(c->db);
	}
	fail_point("hold.after");
	mem_free(mem);
	return hold_is_whole(r);
}

static enum job_outcome outcome_of(const char *state)
{
	for (int i = 0; i < OUTCOME_LOST; i++)
		if (str_eq(state, outcome_name((enum job_outcome)i)))
			return (enum job_outcome)i;
	return OUTCOME_RETRY; /* "waiting": given back */
}

/* One try. OK with *state, or why not. */
static enum err settle_once(struct runner *r, const char *outcome, const char *why, const char **state)
{
	struct job *j = &r->job;
	struct db_stmt stmts[EFFECTS_MAX + 2];
	struct db_result *results[EFFECTS_MAX + 2] = { 0 };
	bool ok = str_eq(outcome, "ok");
	const char *delay = j->delay_s > 0 ? mem_printf(j->mem, "%f", j->delay_s) : NULL;
	int n = 0;
	enum err e;

	if (ok && r->neffects) {
		stmts[n++] = db_bind(j->mem, "jobs_enter", (const char *const[]){ "job_id", j->id, "lease", r->lease, NULL });
		memcpy(stmts + n, r->effects, sizeof(*stmts) * (size_t)r->neffects);
		n += r->neffects;
	}
	stmts[n++] = db_bind(j->mem, "jobs_settle",
		(const char *const[]){ "job_id", j->id, "lease", r->lease, "outcome", outcome, "result",
			ok && r->result ? json_text(j->mem, r->result) : NULL, "why", why, "delay_s", delay, "memo",
			r->memo ? json_text(j->mem, r->memo) : NULL, NULL });
	fail_point("settle.before");
	e = db_run(r->child->db, j->mem, stmts, n, false, results, NULL);
	fail_point("settle.after");
	*state = e ? NULL : db_text(results[n - 1], 0, "state");
	return e;
}

/* An error that another try by itself will not mend. */
static bool is_final(enum err e)
{
	return e != ERR_UNAVAILABLE;
}

static const char *settle(struct runner *r, const char *outcome, const char *why)
{
	int64_t until_us = clock_monotonic_us() + r->child->crew->conf->worker_lease_s * 1000000;
	const char *state = NULL;
	enum err e = settle_once(r, outcome, why, &state);

	while (e && !is_final(e) && clock_monotonic_us() < until_us && !child_is_leaving()) {
		child_nap(RETRY_NAP_MS);
		e = settle_once(r, outcome, why, &state);
	}
	/* What PostgreSQL refuses, an effect, a result, a memo, or never gets done, is a failure of the job like any other: left
	 * alone it would run again and again. Should the answer have been lost, the fence refuses this. */
	if (e && e != ERR_JOB_LEASE_LOST && !child_is_leaving()) {
		r->result = r->memo = NULL;
		r->job.delay_s = 0;
		e = settle_once(r, "retry", err_info(e)->code, &state);
	}
	if (e)
		log_error("a job was not settled", "kind", r->job.kind ? r->job.kind->name : "unknown", "why", err_info(e)->code, NULL);
	return state;
}

/* A worker that leaves gives back what could not come to its end. */
static const char *outcome_text(const struct runner *r, enum job_end end)
{
	bool asked = child_is_leaving() && !seat_is_cancelled(r->child->seat);

	return end == JOB_RETRY && asked ? "release" : end_names[end];
}

static void job_done(struct runner *r, enum job_end end, int64_t began_us)
{
	const char *state = settle(r, outcome_text(r, end), r->why);
	int64_t took_us = clock_monotonic_us() - began_us;
	enum job_outcome outcome = state ? outcome_of(state) : OUTCOME_LOST;

	board_count(r->child->board, r->kind, outcome, took_us);
	if (outcome == OUTCOME_RETRY || outcome == OUTCOME_DEAD)
		log_warn(outcome == OUTCOME_DEAD ? "a job is dead" : "a job failed", "kind", r->job.kind->name, "why", r->why, NULL);
}

static void run_claimed(struct runner *r, const struct db_result *rows)
{
	int64_t began_us = clock_monotonic_us();

	if (runner_job_begin(r, rows, 0)) {
		enum job_end end;

		fail_point("run.before");
		end = runner_job_run(r);
		fail_point("run.after");
		job_done(r, end, began_us);
	} else {
		r->job.delay_s = UNKNOWN_REST_S; /* somebody newer may know it */
		settle(r, "snooze", r->why);
	}
	runner_job_end(r);
}

/* A claimed job that is not to be run. */
static void give_back(struct runner *r, const struct db_result *rows)
{
	void *mem = mem_root("give back");
	const struct db_stmt stmt = db_bind(mem, "jobs_settle",
		(const char *const[]){ "job_id", db_text(rows, 0, "id"), "lease", db_text(rows, 0, "lease"), "outcome", "release", NULL });
	struct db_result *state = NULL;

	db_run(r->child->db, mem, &stmt, 1, false, &state, NULL);
	mem_free(mem);
}

static bool run_one(struct runner *r, const char *id)
{
	struct child *c = r->child;
	void *mem = mem_root("claim");
	const struct db_stmt stmt = db_bind(mem, "jobs_claim",
		(const char *const[]){ "ids", mem_printf(mem, "{%s}", id), "holder", r->holder, "lease_s",
			mem_printf(mem, "%lld", (long long)c->crew->conf->worker_lease_s), NULL });
	struct db_result *rows = NULL;
	bool ok;

	fail_point("claim.before");
	ok = db_run(c->db, mem, &stmt, 1, false, &rows, NULL) == OK;
	fail_point("claim.after");
	if (ok && db_rows(rows) == 1) {
		/* The claim may have gone over a new connection, which does not have the lock that says that this holder lives. */
		if (hold_is_whole(r))
			run_claimed(r, rows);
		else
			give_back(r, rows);
	}
	mem_free(mem);
	return ok;
}

/* All lists of the pool: by priority, the quick ones of each first. */
struct lists {
	const char **keys;
	int n;
};

static struct lists lists_of(void *mem, const struct pool *pool)
{
	struct lists l = { .keys = mem_array(mem, const char *, (size_t)pool->nqueues * 8) };

	for (int p = 0; p < 4; p++)
		for (int q = 0; q < pool->nqueues; q++) {
			l.keys[l.n++] = jobs_key(mem, pool->queues[q], job_priorities[p], true);
			l.keys[l.n++] = jobs_key(mem, pool->queues[q], job_priorities[p], false);
		}
	return l;
}

/* More of the list the first came from. */
static int fill_batch(struct runner *r, void *mem, const char *key, const char **ids)
{
	const char *from, **more;
	int n = 0;
	bool ok;

	fail_point("quick.pop.before");
	ok = redis_pop(r->child->redis, mem, &key, 1, BATCH - 1, 0, &from, &more, &n);
	fail_point("quick.pop.after");
	if (!ok)
		return 0;
	for (int i = 0; i < n; i++)
		ids[i] = more[i];
	return n;
}

static void turn(struct runner *r, const struct lists *lists)
{
	void *mem = mem_root("pop");
	const char *from, **items, *ids[BATCH];
	int n = 0;

	fail_point("pop.before");
	if (!redis_pop(r->child->redis, mem, lists->keys, lists->n, 1, POP_WAIT_MS, &from, &items, &n)) {
		child_nap(AWAY_NAP_MS);
	} else if (n && uuid_is_valid(items[0])) {
		fail_point("pop.after");
		ids[0] = items[0];
		if (strstr(from, ":quick:"))
			quick_run(r, ids, 1 + fill_batch(r, mem, from, ids + 1));
		else
			run_one(r, ids[0]);
	}
	mem_free(mem);
}

void runner_main(struct child *c)
{
	struct runner r = { .child = c, .arg = c->crew->arg };
	struct lists lists = lists_of(c->mem, c->pool);

	redis_set_timeout(c->redis, 2000);
	if (c->crew->child_start)
		r.arg = c->crew->child_start(c->mem, (struct crew *)(uintptr_t)c->crew);
	while (!child_is_leaving()) {
		if (hold(&r)) {
			atomic_store(&c->seat->up, 1);
			turn(&r, &lists);
		} else {
			child_nap(AWAY_NAP_MS);
		}
	}
}
