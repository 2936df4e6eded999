/*
 * The test worker is stint-worker with kinds of its own: what is tested is the very same main, crew and children. This file
 * has the list, and what kinds share; plain.c those that behave, poison.c those that take their process along.
 */
#include "kinds.h"

#include <stddef.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "jobs/jobs.h"

enum { STEP_MS = 20 };

const struct job_kind *const job_kinds[] = {
#define KIND(name) &kind_##name,
#include "kinds.def"
#undef KIND
	NULL,
};

int64_t arg_int(const struct job *j, const char *name, int64_t otherwise)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(j->args, name, &value) ? json_object_get_int64(value) : otherwise;
}

int64_t note_run(struct job *j)
{
	struct db_result *rows = NULL;
	int64_t n = -1;

	if (job_write(j, "test_run_add", (const char *const[]){ "job_id", j->id, "kind", j->kind->name, NULL }, &rows) ||
		!str_to_int(db_text(rows, 0, "n"), 0, INT64_MAX, &n))
		return -1;
	return n;
}

void note_effect(struct job *j)
{
	const char *n = mem_printf(j->mem, "%lld", (long long)arg_int(j, "n", 0));

	job_effect(j, "test_effect_add", (const char *const[]){ "job_id", j->id, "kind", j->kind->name, "n", n, NULL });
}

void sleep_deaf(int64_t ms)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

	for (; ms > 0; ms -= STEP_MS)
		nanosleep(&step, NULL);
}

bool pass_time(struct job *j, int64_t ms)
{
	for (; ms > 0; ms -= STEP_MS) {
		if (job_should_stop(j))
			return false;
		sleep_deaf(STEP_MS);
	}
	return true;
}
