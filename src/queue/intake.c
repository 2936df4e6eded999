/*
 * The intake: Celery's clients on one side, PostgreSQL on the other. It takes messages off the lists of the queues that operators
 * have bound to an organization, makes each a job under its own id, and carries answers back. One in the whole installation at a
 * time, since one keeps up with many clients and the order of a queue is then its order.
 *
 * A message is moved to a list of the intake's own, stored, and only when that is committed dropped from there. What is still on
 * that list was begun by somebody who died, or was refused by a server that was away: every round begins with it. Stored twice it
 * is one job, by its id; read twice it is one letter, by its bytes.
 *
 * An answer is a row that was written with the end it tells of (jobs.reply). It is set and published, and then the row goes: twice in
 * the worst case, and the same both times.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "queue/celery.h"
#include "queue/child.h"

enum { LEAD = 5, BATCH_MOST = 16, REPLIES_MOST = 100, WAIT_MS = 25, NAP_OTHER_MS = 250, NAP_AWAY_MS = 200, LIST_US = 500000, ANSWER_US = 250000 };

struct source {
	const char *queue, *keys[CELERY_LISTS], *processing;
};

struct intake {
	struct child *c;
	int64_t held, listed_us, answered_us;
	bool woken; /* an answer may be there */
	void *mem; /* of sources */
	struct source *sources;
	int nsources;
	bool busy;
};

static bool ask(struct intake *in, void *mem, const char *query, const char *const *given, struct db_result **rows)
{
	const struct db_stmt stmt = db_bind(mem, query, given);

	return db_run(in->c->db, mem, &stmt, 1, false, rows, NULL) == OK;
}

/* Which queues there are, looked up now and then: what an operator adds is taken from within a second. */
static bool list(struct intake *in)
{
	int64_t now_us = clock_monotonic_us();
	struct db_result *rows = NULL;
	void *mem;

	if (in->mem && now_us - in->listed_us < LIST_US)
		return true;
	mem = mem_root("intakes");
	if (!ask(in, mem, "celery_queues", NULL, &rows)) {
		mem_free(mem);
		return false;
	}
	mem_free(in->mem);
	in->mem = mem;
	in->listed_us = now_us;
	in->nsources = db_rows(rows);
	in->sources = mem_array(mem, struct source, (size_t)in->nsources + 1);
	for (int i = 0; i < in->nsources; i++) {
		struct source *s = &in->sources[i];

		s->queue = db_text(rows, i, "queue");
		s->processing = mem_printf(mem, "intake:%s", s->queue);
		celery_keys(mem, s->queue, s->keys);
	}
	return true;
}

static bool store(struct intake *in, void *mem, const struct source *s, const struct redis_item *items, int n)
{
	struct json_object *messages = json_own(mem, json_object_new_array());
	struct db_result *rows = NULL;

	for (int i = 0; i < n; i++) {
		struct json_object *m = celery_read(mem, in->c->crew->kinds, items[i].data, items[i].len);
		const char *refused = json_str(m, "refused");

		if (refused)
			log_warn("a message is no call", "queue", s->queue, "why", refused, NULL);
		json_object_array_add(messages, json_object_get(m));
	}
	return ask(in, mem, "celery_intake", (const char *const[]){ "queue", s->queue, "messages", json_text(mem, messages), NULL }, &rows);
}

/* One batch of a queue; *n: how many it had. */
static bool take(struct intake *in, const struct source *s, int *n)
{
	void *mem = mem_root("intake");
	struct redis *redis = in->c->redis;
	struct redis_item *items;
	int64_t dropped;
	bool ok = redis_last(redis, mem, s->processing, BATCH_MOST, &items, n);

	if (ok && !*n) {
		fail_point("intake.move.before");
		ok = redis_move(redis, s->keys, CELERY_LISTS, s->processing, BATCH_MOST);
		fail_point("intake.move.after");
		ok = ok && redis_last(redis, mem, s->processing, BATCH_MOST, &items, n);
	}
	if (ok && *n) {
		fail_point("intake.store.before");
		ok = store(in, mem, s, items, *n);
		fail_point("intake.store.after");
	}
	for (int i = 0; ok && i < *n; i++) {
		ok = redis_drop(redis, s->processing, &items[i], &dropped);
		fail_point("intake.drop.after");
	}
	mem_free(mem);
	return ok;
}

/* A queue that cannot be read (another kind of thing lies under its name) keeps nobody else waiting. */
static bool take_all(struct intake *in)
{
	bool all = true;

	for (int i = 0; i < in->nsources && !child_is_leaving(); i++) {
		int n = 0;
		bool ok = take(in, &in->sources[i], &n);

		in->busy = in->busy || (ok && n);
		all = all && ok;
	}
	return all;
}

static bool send(struct intake *in, void *mem, const struct db_result *rows)
{
	const char **ids = mem_array(mem, const char *, (size_t)db_rows(rows) + 1);
	struct db_result *gone = NULL;
	int n = 0;

	for (bool ok = true; ok && n < db_rows(rows); n += ok) {
		fail_point("answer.before");
		ok = redis_answer(in->c->redis, celery_result_key(mem, db_text(rows, n, "task_id")), db_text(rows, n, "body"), CELERY_RESULT_S);
		fail_point("answer.after");
		ids[n] = db_text(rows, n, "id");
	}
	return n && ask(in, mem, "celery_replies_sent", (const char *const[]){ "ids", array_text(mem, ids, n), NULL }, &gone) &&
		n == db_rows(rows);
}

static bool answer(struct intake *in)
{
	void *mem = mem_root("answers");
	const char *most = mem_printf(mem, "%d", REPLIES_MOST);
	struct db_result *rows = NULL;
	bool ok = ask(in, mem, "celery_replies", (const char *const[]){ "most", most, NULL }, &rows);

	if (ok && db_rows(rows)) {
		in->busy = true;
		ok = send(in, mem, rows);
		fail_point("answer.end");
	}
	mem_free(mem);
	return ok;
}

/* Answers first: somebody waits for them. Without a notice they are looked for now and then. */
static bool turn(struct intake *in)
{
	bool answered = true, taken;
	int64_t now_us = clock_monotonic_us();

	in->busy = false;
	if (in->woken || now_us - in->answered_us > ANSWER_US) {
		answered = answer(in);
		in->answered_us = now_us;
		in->woken = in->busy || !answered;
	}
	taken = list(in) && take_all(in);
	return answered && taken;
}

void intake_main(struct child *c)
{
	struct intake in = { .c = c };

	redis_set_timeout(c->redis, 5000); /* a message may be long */
	db_listen(c->db, "replies");
	while (!child_is_leaving()) {
		bool leads = child_leads(c, LEAD, &in.held), ok = leads && turn(&in);

		atomic_store(&c->seat->up, 1);
		atomic_store(&c->board->intake_idle, !leads || (ok && !in.busy));
		if (!leads)
			child_nap(NAP_OTHER_MS);
		else if (!ok)
			child_nap(NAP_AWAY_MS);
		else if (!in.busy)
			in.woken = db_wait(c->db, WAIT_MS);
	}
	mem_free(in.mem);
}
