/*
 * Quick jobs: many in one transaction of two trips. The first takes them (their row locks are the lease), then they run, the second
 * settles all. Whoever dies in between has taken nothing. A job that wants more than that (it failed, it asks the
 * database) leaves the batch untouched and is run alone afterwards; so is one that took its process along, since the seat says
 * which of the batch it was.
 *
 * A job that holds its batch for longer than the server lets a transaction stand idle loses it for all of them: then each is run alone,
 * where it has a lease and its failures are counted.
 *
 * A deadlock or a lost connection makes db_run_then begin anew, and the jobs run again: they are made for that.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "queue/runner.h"

/* No batch keeps its locks for longer than this; what was not run yet goes alone. */
enum { BATCH_US = 2000000 };

struct batch {
	struct runner *r;
	const char *done[BATCH], *others[BATCH];
	int ndone, nothers;
	int64_t took_us[BATCH];
	int kinds[BATCH];
	bool slow; /* one of them was */
};

static void run_row(struct batch *b, const struct db_result *rows, int row, const char *id)
{
	struct runner *r = b->r;
	int64_t began_us = clock_monotonic_us();
	bool ok = runner_job_begin(r, rows, row) && runner_job_run(r) == JOB_OK && !r->demand;
	int64_t took_us = clock_monotonic_us() - began_us;

	b->slow = b->slow || took_us > BATCH_US;
	if (ok) {
		b->took_us[b->ndone] = took_us;
		b->kinds[b->ndone] = r->kind;
		b->done[b->ndone++] = id;
	} else {
		b->others[b->nothers++] = id;
	}
	runner_job_end(r);
}

static struct db_stmt run_rows(void *arg, void *mem, struct db_result **results)
{
	struct batch *b = arg;
	int64_t until_us = clock_monotonic_us() + BATCH_US;

	fail_point("quick.take.after");
	b->ndone = b->nothers = 0;
	for (int i = 0; i < db_rows(results[0]); i++) {
		const char *id = mem_strdup(mem, db_text(results[0], i, "id"));

		if (clock_monotonic_us() < until_us && !child_is_leaving())
			run_row(b, results[0], i, id);
		else
			b->others[b->nothers++] = id;
	}
	fail_point("quick.settle.before");
	if (!b->ndone && !b->nothers)
		return (struct db_stmt){ 0 };
	return db_bind(mem, "jobs_settle_quick", (const char *const[]){ "done", array_text(mem, b->done, b->ndone), "others",
		array_text(mem, b->others, b->nothers), NULL });
}

static void run_alone_from_now_on(struct runner *r, void *mem, const char *ids)
{
	const struct db_stmt stmt = db_bind(mem, "jobs_settle_quick", (const char *const[]){ "done", "{}", "others", ids, NULL });
	struct db_result *rows = NULL;

	db_run(r->child->db, mem, &stmt, 1, false, &rows, NULL);
}

bool quick_run(struct runner *r, const char **ids, int n)
{
	void *mem = mem_root("batch");
	struct batch b = { .r = r };
	const char *known[BATCH], *all;
	struct db_stmt stmt;
	struct db_result *rows = NULL;
	int nknown = 0;
	enum err e;

	for (int i = 0; i < n; i++)
		if (uuid_is_valid(ids[i]))
			known[nknown++] = ids[i];
	all = array_text(mem, known, nknown);
	stmt = db_bind(mem, "jobs_take_quick", (const char *const[]){ "ids", all, NULL });
	r->batch = true;
	fail_point("quick.take.before");
	e = db_run_then(r->child->db, mem, &stmt, 1, run_rows, &b, &rows, NULL);
	r->batch = false;
	fail_point("quick.settle.after");
	if (e && b.slow)
		run_alone_from_now_on(r, mem, all);
	for (int i = 0; !e && i < b.ndone; i++)
		board_count(r->child->board, b.kinds[i], OUTCOME_DONE, b.took_us[i]);
	mem_free(mem);
	return e == OK;
}
