/* Kinds that behave; see kinds.c. */
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "kinds.h"

static enum job_end run_noop(struct job *j)
{
	(void)j;
	return JOB_OK;
}

const struct job_kind kind_noop = { .name = "test.noop", .about = "nothing, quickly", .quick = true, .run = run_noop };

/* Fails where it is one of many, and works out when it is alone. */
static enum job_end run_quick_fail(struct job *j)
{
	note_effect(j);
	return JOB_OK;
}

const struct job_kind kind_quick_fail = { .name = "test.quick_fail", .about = "says it is quick, and wants the database",
	.quick = true, .run = run_quick_fail };

/* Longer than any batch may keep its locks. */
static enum job_end run_quick_slow(struct job *j)
{
	sleep_deaf(arg_int(j, "ms", 0));
	return JOB_OK;
}

const struct job_kind kind_quick_slow = { .name = "test.quick_slow", .about = "says it is quick, and is not", .quick = true,
	.run = run_quick_slow };

const struct job_kind kind_quick_rated = { .name = "test.quick_rated", .about = "quick, 60 a minute, readable for a while",
	.quick = true, .rate_per_minute = 60, .keep_s = 60, .run = run_noop };

static enum job_end run_effect(struct job *j)
{
	note_effect(j);
	return JOB_OK;
}

const struct job_kind kind_effect = { .name = "test.effect", .about = "one row", .run = run_effect };

static enum job_end run_echo(struct job *j)
{
	note_effect(j);
	job_result(j, json_object_get(j->args));
	return JOB_OK;
}

const struct job_kind kind_echo = { .name = "test.echo", .about = "gives its arguments back", .keep_s = 600, .run = run_echo };

static enum job_end run_sleep(struct job *j)
{
	note_run(j);
	if (!pass_time(j, arg_int(j, "ms", 0)))
		return JOB_RETRY;
	note_effect(j);
	return JOB_OK;
}

const struct job_kind kind_sleep = { .name = "test.sleep", .about = "takes args.ms, and ends early when told to", .keep_s = 600,
	.soft_s = 120, .run = run_sleep };

static enum job_end run_deaf(struct job *j)
{
	note_run(j);
	sleep_deaf(arg_int(j, "ms", 0));
	note_effect(j);
	return JOB_OK;
}

const struct job_kind kind_deaf = { .name = "test.deaf", .about = "takes args.ms, whoever tells it to end", .keep_s = 600,
	.run = run_deaf };

static enum job_end run_slow(struct job *j)
{
	note_run(j);
	if (!pass_time(j, 10 * 1000 * j->conf->worker_lease_s))
		return JOB_RETRY;
	note_effect(j);
	return JOB_OK;
}

const struct job_kind kind_slow = { .name = "test.slow", .about = "takes ten leases", .soft_s = 300, .keep_s = 600, .run = run_slow };

static enum job_end run_fail(struct job *j)
{
	note_run(j);
	if (j->attempt <= arg_int(j, "times", 1)) {
		job_why(j, "this was attempt %d", j->attempt);
		j->delay_s = (double)arg_int(j, "rest_ms", 50) / 1000;
		return JOB_RETRY;
	}
	note_effect(j);
	return JOB_OK;
}

const struct job_kind kind_fail = { .name = "test.fail", .about = "fails args.times times", .max_attempts = 5, .keep_s = 600,
	.run = run_fail };

static enum job_end run_snooze(struct job *j)
{
	int64_t slept = j->memo ? json_object_get_int64(json_object_object_get(j->memo, "slept")) : 0;
	struct json_object *memo;

	note_run(j);
	if (slept < arg_int(j, "times", 1)) {
		memo = json_object_new_object();
		json_object_object_add(memo, "slept", json_object_new_int64(slept + 1));
		job_memo(j, memo);
		j->delay_s = (double)arg_int(j, "rest_ms", 50) / 1000;
		return JOB_SNOOZE;
	}
	note_effect(j);
	return JOB_OK;
}

const struct job_kind kind_snooze = { .name = "test.snooze", .about = "comes back args.times times", .max_attempts = 1,
	.keep_s = 600, .run = run_snooze };

static enum job_end run_cancel_me(struct job *j)
{
	note_effect(j);
	job_why(j, "nobody wants it");
	return JOB_CANCEL;
}

const struct job_kind kind_cancel_me = { .name = "test.cancel_me", .about = "is not needed any more", .keep_s = 600,
	.run = run_cancel_me };

static enum job_end run_dead(struct job *j)
{
	note_effect(j);
	job_why(j, "it will never work out");
	return JOB_DEAD;
}

const struct job_kind kind_dead = { .name = "test.dead", .about = "never works out", .run = run_dead };

const struct job_kind kind_limited = { .name = "test.limited", .about = "120 a minute and organization", .rate_per_minute = 120,
	.run = run_effect };

static enum job_end run_bad_effect(struct job *j)
{
	note_run(j);
	job_effect(j, "test_effect_refused", (const char *const[]){ "job_id", j->id, NULL });
	j->delay_s = 0.05;
	return JOB_OK;
}

const struct job_kind kind_bad_effect = { .name = "test.bad_effect", .about = "an effect that PostgreSQL refuses",
	.max_attempts = 2, .run = run_bad_effect };

/* PostgreSQL's jsonb has no NUL. */
static enum job_end run_bad_result(struct job *j)
{
	note_run(j);
	job_result(j, json_object_new_string_len("a\0b", 3));
	j->delay_s = 0.05;
	return JOB_OK;
}

const struct job_kind kind_bad_result = { .name = "test.bad_result", .about = "a result that PostgreSQL refuses",
	.max_attempts = 2, .run = run_bad_result };

const struct job_kind kind_tick = { .name = "test.tick", .about = "every minute, none left out", .queue = "ticks",
	.schedule = "* * * * *", .backfill = "all", .run = run_effect };
