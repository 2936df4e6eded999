/* stint.ping: does nothing, and says that it did. For callers from outside who want to know whether anybody is there. */
#include "jobs/jobs.h"

static enum job_end run(struct job *j)
{
	job_result(j, json_object_new_string("pong"));
	return JOB_OK;
}

static const char *const params[] = { NULL };

const struct job_kind job_stint_ping = {
	.name = "stint.ping",
	.about = "answers pong",
	.max_attempts = 3,
	.quick = true,
	.is_public = true,
	.params = params,
	.run = run,
};
