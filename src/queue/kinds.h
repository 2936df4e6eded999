#ifndef STINT_QUEUE_KINDS_H
#define STINT_QUEUE_KINDS_H
/* What the machinery asks of a kind; for this folder. */
#include "queue/job.h"

int job_kind_place(const struct job_kind *const *kinds, const char *name); /* -1: none */
int64_t job_kind_soft_s(const struct job_kind *k);
int64_t job_kind_hard_s(const struct job_kind *k);

#endif
