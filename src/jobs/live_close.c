/* live.close: a session or token has ended, so its sockets must close now; stint-live reads the stream. */
#include "jobs/jobs.h"

enum { KEEP = 10000 };

static enum job_end run(struct job *j)
{
	const char *fields[] = { "credential", job_arg(j, "credential") };

	if (redis_stream_add(job_redis(j), "live:control", "*", KEEP, fields, 1))
		return JOB_OK;
	job_why(j, "Redis is away");
	j->delay_s = 1;
	return JOB_RETRY;
}

const struct job_kind job_live_close = {
	.name = "live.close",
	.about = "closes the live connections of a session that has ended",
	.priority = 0,
	.max_attempts = 100,
	.soft_s = 5,
	.quick = true,
	.run = run,
};
