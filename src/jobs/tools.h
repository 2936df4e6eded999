#ifndef STINT_JOBS_TOOLS_H
#define STINT_JOBS_TOOLS_H
/* What jobs are given to work with: job->arg of every kind in jobs.def. */
#include "net/net.h"
#include "view/view.h"

struct job_tools {
	const struct views *views; /* made by the master, shared by all */
	struct net *net;           /* of this process alone */
};

#endif
