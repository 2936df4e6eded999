/* The kinds of jobs, from jobs.def. */
#include "jobs/jobs.h"

#include <stddef.h>

const struct job_kind *const job_kinds[] = {
#define JOB(name) &job_##name,
#include "jobs/jobs.def"
#undef JOB
	NULL,
};
