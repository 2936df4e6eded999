#ifndef STINT_JOBS_JOBS_H
#define STINT_JOBS_JOBS_H
/* The index of the kinds of jobs; each is declared at the head of its file. */
#include "queue/job.h"

#define JOB(name) extern const struct job_kind job_##name;
#include "jobs/jobs.def"
#undef JOB

extern const struct job_kind *const job_kinds[]; /* ends with NULL */

#endif
