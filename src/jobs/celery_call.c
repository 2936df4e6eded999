/*
 * celery.call: hands work to a Celery worker of somebody else's (a Python model, say) and brings its result back.
 *
 *	{"queue": "ai", "task": "model.classify", "args": [], "kwargs": {}, "timeout_s": 300}
 *
 * The message goes to the queue's list under an id of its own, made of the job's id and its attempt: pushed again after a crash it is
 * the same task. Then the job is put down and looks for the result in growing steps, so that no runner is held.
 *
 * That a Celery worker died with a task nobody reports. So there is a time limit, which goes along as the task's expiry and limit as
 * well; past it the job fails, its attempt is charged, and the next one pushes under a new id. What the old one may
 * still answer, nobody looks for. A message that is still on its list by then was taken by nobody: it is taken back, and said.
 *
 * Which queues there are the configuration says (celery_queues): a job must not write to just any key of Redis.
 */
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/iso8601.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "jobs/jobs.h"
#include "queue/celery.h"

enum { TIMEOUT_S = 300, TIMEOUT_MOST_S = 86400, TASK_MOST = 200 };

static const double look_first_s = 0.2, look_most_s = 5, look_growth = 1.5;

/* What the memo keeps between looks. */
struct call {
	const char *id, *expires;
	int64_t attempt, deadline_us;
	double look_s;
};

static bool is_allowed(const struct job *j, const char *queue)
{
	size_t len = strlen(queue);

	if (!len || strcspn(queue, ",: \t") != len)
		return false;
	for (const char *at = j->conf->celery_queues; *at;) {
		size_t n;

		at += strspn(at, ", \t");
		n = strcspn(at, ", \t");
		if (n == len && memcmp(at, queue, n) == 0)
			return true;
		at += n;
	}
	return false;
}

/* 0: it is no number, or out of range. */
static int64_t timeout_s(const struct job *j)
{
	struct json_object *given = json_object_object_get(j->args, "timeout_s");
	int64_t n = given ? json_object_get_int64(given) : TIMEOUT_S;

	return (!given || json_object_is_type(given, json_type_int)) && n >= 1 && n <= TIMEOUT_MOST_S ? n : 0;
}

static bool is_type_or_absent(const struct job *j, const char *name, enum json_type type)
{
	struct json_object *given = json_object_object_get(j->args, name);

	return !given || json_object_is_type(given, type);
}

static const char *fault(const struct job *j)
{
	const char *queue = job_arg(j, "queue"), *task = job_arg(j, "task");

	if (!queue || !is_allowed(j, queue))
		return "queue: not one of celery_queues in the configuration";
	if (!task || !*task || strlen(task) > TASK_MOST)
		return "task: the name of a task";
	if (!is_type_or_absent(j, "args", json_type_array))
		return "args: a list";
	if (!is_type_or_absent(j, "kwargs", json_type_object))
		return "kwargs: an object";
	if (!timeout_s(j))
		return "timeout_s: a whole number from 1 to 86400";
	return NULL;
}

/* Version 8 of RFC 9562: the job's id with the attempt as its last three digits. */
static const char *task_id(const struct job *j)
{
	char *id = mem_printf(j->mem, "%.33s%03x", j->id, (unsigned)j->attempt & 0xfffU);

	id[14] = '8';
	return id;
}

static const char *message(struct job *j, const struct call *c)
{
	const struct celery_task t = { .queue = job_arg(j, "queue"), .task = job_arg(j, "task"), .id = c->id, .expires = c->expires,
		.args = json_object_object_get(j->args, "args"), .kwargs = json_object_object_get(j->args, "kwargs"), .limit_s = timeout_s(j) };

	return celery_message(j->mem, &t);
}

static enum job_end put_down(struct job *j, const struct call *c, double look_s)
{
	struct json_object *memo = json_object_new_object();

	json_object_object_add(memo, "id", json_object_new_string(c->id));
	json_object_object_add(memo, "expires", json_object_new_string(c->expires));
	json_object_object_add(memo, "attempt", json_object_new_int64(c->attempt));
	json_object_object_add(memo, "deadline_us", json_object_new_int64(c->deadline_us));
	json_object_object_add(memo, "look_s", json_object_new_double(look_s * look_growth < look_most_s ? look_s * look_growth : look_most_s));
	job_memo(j, memo);
	j->delay_s = look_s;
	return JOB_SNOOZE;
}

static enum job_end push(struct job *j)
{
	char expires[ISO8601_MAX];
	struct call c = { .id = task_id(j), .expires = expires, .attempt = j->attempt };

	c.deadline_us = clock_now_us() / 1000000 * 1000000 + timeout_s(j) * 1000000;
	iso8601_format(c.deadline_us, expires);
	expires[strlen(expires) - 1] = 0; /* Celery reads +00:00, not Z */
	c.expires = mem_printf(j->mem, "%s+00:00", expires);
	fail_point("celery.push.before");
	/* An answer to this id from before the job was dead and taken up by hand is no answer to this. */
	if (!redis_forget(job_redis(j), celery_result_key(j->mem, c.id)) ||
		!redis_push_first(job_redis(j), job_arg(j, "queue"), message(j, &c))) {
		job_why(j, "Redis is away");
		j->delay_s = 1;
		return JOB_SNOOZE;
	}
	fail_point("celery.push.after");
	return put_down(j, &c, look_first_s);
}

/* What was remembered of this attempt's task; false: nothing, or another attempt's. */
static bool remembered(struct job *j, struct call *c)
{
	*c = (struct call){ .id = json_str(j->memo, "id"), .expires = json_str(j->memo, "expires"),
		.attempt = json_object_get_int64(json_object_object_get(j->memo, "attempt")),
		.deadline_us = json_object_get_int64(json_object_object_get(j->memo, "deadline_us")),
		.look_s = json_object_get_double(json_object_object_get(j->memo, "look_s")) };
	return c->id && c->expires && c->attempt == j->attempt;
}

static const char *exception_text(struct job *j, struct json_object *result)
{
	const char *type = json_str(result, "exc_type");
	struct json_object *message = json_object_object_get(result, "exc_message"), *first = message;

	if (json_object_is_type(message, json_type_array))
		first = json_object_array_length(message) ? json_object_array_get_idx(message, 0) : NULL;
	return mem_printf(j->mem, "%.100s: %.800s", type ? type : "an error", first ? json_object_get_string(first) : "");
}

/* True when the answer is one; *end then. */
static bool ended(struct job *j, const char *answer, enum job_end *end)
{
	struct json_object *meta = NULL, *result;
	const char *status;

	if (!answer)
		return false;
	if (json_parse(j->mem, answer, strlen(answer), &meta, NULL) || !json_object_is_type(meta, json_type_object)) {
		job_why(j, "its answer is no JSON that can be kept");
		*end = JOB_RETRY;
		return true;
	}
	status = json_str(meta, "status");
	result = json_object_object_get(meta, "result");
	if (str_eq(status, "SUCCESS")) {
		job_result(j, json_object_get(result));
		*end = JOB_OK;
	} else if (str_eq(status, "FAILURE")) {
		job_why(j, "%s", json_object_is_type(result, json_type_object) ? exception_text(j, result) : "it failed without saying why");
		*end = JOB_RETRY;
	} else if (str_eq(status, "REVOKED")) {
		job_why(j, "it was revoked over there");
		*end = JOB_RETRY;
	} else {
		return false; /* STARTED, RETRY … */
	}
	return true;
}

static enum job_end give_up(struct job *j, const struct call *c)
{
	const char *text = message(j, c), *queue = job_arg(j, "queue");
	const struct redis_item item = { .data = mem_strdup(j->mem, text), .len = strlen(text) };
	int64_t dropped = 0;

	if (!redis_drop(job_redis(j), queue, &item, &dropped))
		return put_down(j, c, look_most_s);
	if (dropped)
		job_why(j, "no worker took it from the queue %s in %lld s", queue, (long long)timeout_s(j));
	else
		job_why(j, "a worker took it and gave no answer in %lld s", (long long)timeout_s(j));
	j->delay_s = 1; /* what was lost is not helped by waiting */
	return JOB_RETRY;
}

static enum job_end run(struct job *j)
{
	const char *wrong = fault(j), *answer = NULL;
	struct call c;
	enum job_end end;

	if (wrong) {
		job_why(j, JOB_WHY_INVALID "%s", wrong);
		return JOB_DEAD;
	}
	if (!remembered(j, &c))
		return push(j);
	if (!redis_get(job_redis(j), j->mem, celery_result_key(j->mem, c.id), &answer))
		return put_down(j, &c, look_most_s);
	if (ended(j, answer, &end))
		return end;
	return clock_now_us() < c.deadline_us ? put_down(j, &c, c.look_s) : give_up(j, &c);
}

const struct job_kind job_celery_call = {
	.name = "celery.call",
	.about = "hands work to a Celery worker and brings its result back",
	.queue = "outside",
	.priority = 3,
	.max_attempts = 3,
	.keep_s = 7 * 86400,
	.run = run,
};
