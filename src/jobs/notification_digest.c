/* notification.digest: the morning mail, for those whose morning it is; see app.digests_enqueue. */
#include "jobs/jobs.h"

static enum job_end run(struct job *j)
{
	job_effect(j, "digests_enqueue", NULL);
	return JOB_OK;
}

const struct job_kind job_notification_digest = {
	.name = "notification.digest",
	.about = "sends the morning's mail to those whose morning it is",
	.priority = 6,
	.max_attempts = 5,
	.schedule = "2 * * * *",
	.backfill = "none",
	.run = run,
};
