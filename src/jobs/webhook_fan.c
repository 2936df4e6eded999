/*
 * webhook.fan: an organization's sealed events become deliveries to its endpoints, a chunk at a time. The sealer enqueues it,
 * once for however many events, and only where an endpoint is on; see app.webhooks_fan for why no event is left out or sent twice.
 */
#include "base/mem.h"
#include "base/str.h"
#include "jobs/jobs.h"

#define CHUNK "500" /* events of one endpoint in one transaction */

static enum job_end run(struct job *j)
{
	int64_t n = 1, total = 0;

	while (n > 0) {
		struct db_result *rows = NULL;

		/* What was done is done: the cursors say where to go on. */
		if (job_should_stop(j)) {
			job_why(j, "more events than there was time for");
			j->delay_s = 0.1;
			return JOB_SNOOZE;
		}
		if (job_write(j, "webhooks_fan", (const char *const[]){ "most", CHUNK, NULL }, &rows)) {
			job_why(j, "the events could not be handed out");
			return JOB_RETRY;
		}
		if (!str_to_int(db_text(rows, 0, "n"), 0, INT64_MAX, &n))
			n = 0;
		total += n;
		mem_free(rows);
	}
	job_result(j, json_object_new_int64(total));
	return JOB_OK;
}

const struct job_kind job_webhook_fan = {
	.name = "webhook.fan",
	.about = "turns what happened in an organization into deliveries to its webhooks",
	.priority = 3,
	.soft_s = 60,
	.run = run,
};
