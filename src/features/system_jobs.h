#ifndef STINT_FEATURES_SYSTEM_JOBS_H
#define STINT_FEATURES_SYSTEM_JOBS_H
/* Background work for monitoring: appends the families of jobs.metrics(), or none when the database does not answer. */
#include "app/call.h"
#include "base/buf.h"

void system_jobs_write(struct call *c, struct buf *out);

#endif
