/*
 * What /metrics says of background work. The numbers come from jobs.metrics() as ready lines, in one query whose cost does
 * not grow with what waits; here is said what each family is and means. Labels are queues, kinds and outcomes: no person and
 * no organization.
 */
#include "features/system_jobs.h"

#include "base/mem.h"
#include "base/str.h"

static const struct {
	const char *name, *type, *help;
} families[] = {
	{ "stint_jobs_waiting", "gauge", "Jobs that wait, those due later among them, by queue; counted up to 100000 a queue." },
	{ "stint_jobs_due", "gauge", "Jobs that could run now, by queue; of those counted as waiting." },
	{ "stint_jobs_running", "gauge", "Jobs that run, by queue." },
	{ "stint_jobs_oldest_due_seconds", "gauge", "For how long the oldest job that could run has waited, by queue." },
	{ "stint_jobs_dead", "gauge", "Jobs that failed for good and were neither run again nor dropped, by queue." },
	{ "stint_job_runs_total", "counter", "Runs of jobs by kind and how they ended." },
	{ "stint_job_failures_total", "counter", "Runs that failed or took their process along, the last try among them, by kind." },
	{ "stint_job_retries_total", "counter", "Runs that failed and are tried again, by kind." },
	{ "stint_job_duration_seconds", "histogram", "How long runs took, by kind." },
	{ "stint_job_workers", "gauge", "Workers heard of in the last minute." },
	{ "stint_events_unsealed", "gauge", "Events that have no position yet." },
	{ "stint_events_unsealed_oldest_seconds", "gauge", "Age of the oldest event without a position." },
};

void system_jobs_write(struct call *c, struct buf *out)
{
	const struct db_stmt stmt = db_bind(c->rq->mem, "system_metrics", (const char *const[]){ NULL });
	struct db_result *rows = NULL;

	if (db_run(c->worker->db, c->rq->mem, &stmt, 1, true, &rows, NULL))
		return;
	for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", families[f].name, families[f].help, families[f].name, families[f].type);
		for (int i = 0; i < db_rows(rows); i++)
			if (str_eq(db_text(rows, i, "family"), families[f].name))
				buf_printf(out, "%s %s\n", db_text(rows, i, "series"), db_text(rows, i, "value"));
	}
}
