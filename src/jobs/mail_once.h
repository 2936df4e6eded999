#ifndef STINT_JOBS_MAIL_ONCE_H
#define STINT_JOBS_MAIL_ONCE_H
/* What jobs that send a mail have in common: the ledger around the sending. */
#include "app/mail.h"
#include "queue/job.h"

/*
 * Sends the mail of this job, unless the ledger says that it was sent. Gives how the job ends: JOB_OK when it was sent now or
 * before; JOB_RETRY with a reason; JOB_DEAD when no try would help. order->id is set here.
 */
enum job_end mail_once(struct job *j, struct mail_order *order);

#endif
