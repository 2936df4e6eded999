/*
 * Clears away what nobody needs any more, a chunk at a time until nothing is left or the time is up; the rest waits for the next
 * hour. What may go, SQL knows (sql/functions/91-housekeeping.sql).
 */
#include "base/json.h"
#include "base/mem.h"
#include "jobs/jobs.h"

#define CHUNK "1000"

/* Adds what went to the sums, both by table. Gives whether something did. */
static bool add(struct json_object *sums, struct json_object *gone)
{
	json_object_object_foreach(gone, table, n)
	{
		int64_t before = json_object_get_int64(json_object_object_get(sums, table));

		json_object_object_add(sums, table, json_object_new_int64(before + json_object_get_int64(n)));
	}
	return json_object_object_length(gone) > 0;
}

static enum job_end run(struct job *j)
{
	struct json_object *sums = json_own(j->mem, json_object_new_object());
	struct db_result *rows = NULL;
	bool more = true;

	while (more && !job_should_stop(j)) {
		if (job_write(j, "purge", (const char *const[]){ "most", CHUNK, NULL }, &rows)) {
			job_why(j, "what nobody needs could not be deleted");
			return JOB_RETRY;
		}
		more = add(sums, json_trusted(j->mem, db_text(rows, 0, "gone")));
		mem_free(rows);
	}
	job_result(j, json_object_get(sums));
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
