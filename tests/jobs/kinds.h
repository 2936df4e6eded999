#ifndef STINT_TEST_KINDS_H
#define STINT_TEST_KINDS_H
/* What the kinds of the test worker share; see kinds.c. */
#include "queue/job.h"

int64_t arg_int(const struct job *j, const char *name, int64_t otherwise);
/* Notes that the job runs, in a transaction of its own; gives how often it was, this time included; -1: that was refused. */
int64_t note_run(struct job *j);
/* The row by which the job's effect is counted. */
void note_effect(struct job *j);
/* Milliseconds go by; false when the job was told to end before. */
bool pass_time(struct job *j, int64_t ms);
/* Milliseconds go by, whatever anybody says. */
void sleep_deaf(int64_t ms);

/* kinds.def has them all. */
#define KIND(name) extern const struct job_kind kind_##name;
#include "kinds.def"
#undef KIND

#endif
