/* timers.watch: timers that were probably forgotten; whose they are is told once for each. */
#include "jobs/jobs.h"

#define HOURS "10"

static enum job_end run(struct job *j)
{
	job_effect(j, "timers_watch", (const char *const[]){ "hours", HOURS, NULL });
	return JOB_OK;
}

const struct job_kind job_timers_watch = {
	.name = "timers.watch",
	.about = "tells people whose timer has been running for very long",
	.priority = 6,
	.max_attempts = 3,
	.schedule = "*/10 * * * *",
	.backfill = "none",
	.run = run,
};
