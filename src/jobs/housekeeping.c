/*
 * Clears away what nobody needs any more, each kind of thing a chunk at a time until nothing is left or the time is up; the
 * rest waits for the next hour. What may go, SQL knows (sql/functions/91-housekeeping.sql).
 */
#include "base/mem.h"
#include "base/str.h"
#include "jobs/jobs.h"

#define CHUNK "1000"

static const char *const chores[] = { "purge_credentials", "purge_links", "purge_idempotency_keys", "purge_deleted", "purge_webhooks",
	"purge_jobs", "purge_mails", "purge_celery" };

/* How many went in all; -1: PostgreSQL said no. */
static int64_t clear(struct job *j, const char *chore)
{
	int64_t total = 0, n = 1;

	while (n > 0 && !job_should_stop(j)) {
		struct db_result *rows = NULL;

		if (job_write(j, chore, (const char *const[]){ "most", CHUNK, NULL }, &rows))
			return -1;
		if (!str_to_int(db_text(rows, 0, "n"), 0, INT64_MAX, &n))
			n = 0;
		total += n;
		mem_free(rows);
	}
	return total;
}

static enum job_end run(struct job *j)
{
	struct json_object *cleared = json_object_new_object();

	for (size_t i = 0; i < sizeof(chores) / sizeof(*chores); i++) {
		int64_t n = clear(j, chores[i]);

		if (n < 0) {
			json_object_put(cleared);
			job_why(j, "%s failed", chores[i]);
			return JOB_RETRY;
		}
		json_object_object_add(cleared, chores[i], json_object_new_int64(n));
	}
	job_result(j, cleared);
	return JOB_OK;
}

const struct job_kind job_housekeeping = {
	.name = "housekeeping",
	.about = "clears away expired sessions, links, repeated answers, old jobs, and what was deleted a month ago",
	.priority = 9,
	.max_attempts = 5,
	.soft_s = 300,
	.keep_s = 7 * 86400,
	.schedule = "17 * * * *",
	.backfill = "last",
	.run = run,
};
