/* Kinds that take their process along. A sanitizer's own handlers are put aside: what these do is meant. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"

static enum job_end run_segfault(struct job *j)
{
	note_run(j);
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return JOB_OK;
}

const struct job_kind kind_segfault = { .name = "test.segfault", .about = "a segmentation fault", .run = run_segfault };

static enum job_end run_abort(struct job *j)
{
	note_run(j);
	signal(SIGABRT, SIG_DFL);
	abort();
}

const struct job_kind kind_abort = { .name = "test.abort", .about = "aborts", .run = run_abort };

static enum job_end run_loop(struct job *j)
{
	note_run(j);
	while (arg_int(j, "n", 0) >= 0)
		sleep_deaf(20); /* as endless as a busy one, but it leaves the machine to others */
	return JOB_OK;
}

const struct job_kind kind_loop = { .name = "test.loop", .about = "never ends", .soft_s = 1, .hard_s = 2, .run = run_loop };

static enum job_end run_memory(struct job *j)
{
	static char *kept[4096];

	note_run(j);
	for (int i = 0; i < 4096; i++) {
		kept[i] = malloc(1048576);
		if (!kept[i])
			abort();
		memset(kept[i], 1, 1048576);
		if (i > 100)
			sleep_deaf(20);
	}
	return JOB_OK;
}

const struct job_kind kind_memory = { .name = "test.memory", .about = "takes all there is", .hard_s = 60, .run = run_memory };

static enum job_end run_quick_crash(struct job *j)
{
	(void)j;
	raise(SIGKILL);
	return JOB_OK;
}

const struct job_kind kind_quick_crash = { .name = "test.quick_crash", .about = "says it is quick, and kills", .quick = true,
	.run = run_quick_crash };

static enum job_end run_crash_once(struct job *j)
{
	if (note_run(j) == 1)
		raise(SIGKILL);
	note_effect(j);
	return JOB_OK;
}

const struct job_kind kind_crash_once = { .name = "test.crash_once", .about = "kills its process the first time",
	.keep_s = 600, .run = run_crash_once };
