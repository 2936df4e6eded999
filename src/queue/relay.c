/*
 * The relay: reads in PostgreSQL what is due and pushes the ids to Redis, where the runners wait. One in the whole installation
 * at a time; who leads holds an advisory lock for as long as its connection lasts.
 *
 * Redis gets a window and not the whole backlog: about as many as are drained in half a second. So a priority, a fair turn or a
 * cancellation decided in PostgreSQL takes effect at once, a FLUSHALL costs little, and nobody's hundred thousand jobs stand in
 * front of another's one. The window grows while the runners empty it, and shrinks while they do not.
 *
 * What was pushed is remembered here, in memory alone: a job pushed twice is claimed once, so forgetting costs a push. It is
 * pushed again when Redis must have lost it: the list is shorter than what waits of it, or the mark the relay left in
 * Redis is gone (a flush, a restart without its data).
 *
 * It is woken by the NOTIFY of jobs.enqueue at commit, and sleeps no longer than until the next job is due.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "queue/child.h"

enum {
	LEAD = 1,
	WINDOW_LEAST = 8,
	WINDOW_MOST = 2000,
	NAP_BUSY_MS = 10,
	NAP_IDLE_MS = 250,
	NAP_AWAY_MS = 200,
	LOST_US = 2000000,    /* so long a pushed job may wait while its list is too short */
	LOOK_US = 250000,
	SHRINK_US = 500000,
};

#define MARK_KEY "jobs:relay"

struct pushed {
	char id[UUID_TEXT];
	int64_t turn; /* of its claims, when it was pushed: one that came back is another push */
	int list;
	int64_t at_us, seen_us; /* seen among what waits */
};

/* A queue's lists: by priority, quick or not. */
enum { LISTS = 8 };

struct queue {
	const char *name;
	const char *keys[LISTS];
	int64_t lengths[LISTS];
	int waiting[LISTS]; /* of those pushed, still waiting at the last look */
	struct pushed *pushed; /* by id */
	int npushed, window;
	int64_t looked_us, shrink_us, drained; /* since shrink_us */
	bool more; /* the last look filled its window: there is more behind it */
	bool due;
};

struct relay {
	struct child *c;
	struct queue **queues;
	int nqueues;
	int64_t held;
	char mark[UUID_TEXT];
	int next_ms; /* until something will be due */
	int64_t surveyed_us;
};

static struct queue *queue_of(struct relay *r, const char *name)
{
	struct queue *q;

	for (int i = 0; i < r->nqueues; i++)
		if (str_eq(r->queues[i]->name, name))
			return r->queues[i];
	q = mem_new(r->c->mem, struct queue);
	q->name = mem_strdup(q, name);
	q->window = WINDOW_LEAST;
	for (int i = 0; i < LISTS; i++)
		q->keys[i] = jobs_key(q, name, job_priorities[i / 2], i % 2 == 0);
	r->queues = mem_grow(r->c->mem, r->queues, struct queue *, (size_t)r->nqueues + 1);
	r->queues[r->nqueues++] = q;
	return q;
}

static int list_of(const struct db_result *rows, int row)
{
	int64_t priority = 0;

	str_to_int(db_text(rows, row, "priority"), 0, 9, &priority);
	return (int)(priority / 3) * 2 + (str_eq(db_text(rows, row, "quick"), "t") ? 0 : 1);
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct pushed *)a)->id, ((const struct pushed *)b)->id);
}

static struct pushed *find(const struct queue *q, const char *id)
{
	struct pushed key = { .list = 0 };

	memcpy(key.id, id, strnlen(id, UUID_TEXT - 1) + 1);
	return q->npushed ? bsearch(&key, q->pushed, (size_t)q->npushed, sizeof(key), by_id) : NULL;
}

static int64_t turn_of(const struct db_result *rows, int row)
{
	int64_t turn = 0;

	str_to_int(db_text(rows, row, "turn"), 0, INT64_MAX, &turn);
	return turn;
}

/* What was pushed for this row: not when it has been claimed since, or belongs into another list by now. */
static struct pushed *find_row(const struct queue *q, const struct db_result *rows, int row)
{
	struct pushed *p = find(q, db_text(rows, row, "id"));

	return p && p->turn == turn_of(rows, row) && p->list == list_of(rows, row) ? p : NULL;
}

/* Forgets what is not among the first any more (claimed, or pushed aside by something more urgent: then it is pushed again some
 * time). A list that is shorter than what waits of it has lost some. */
static void forget(struct queue *q, int64_t now_us)
{
	int kept = 0;

	for (int i = 0; i < q->npushed; i++) {
		struct pushed *p = &q->pushed[i];
		bool lost = p->seen_us == now_us && now_us - p->at_us > LOST_US && q->lengths[p->list] < q->waiting[p->list];

		if (p->seen_us != now_us)
			q->drained++;
		else if (!lost)
			q->pushed[kept++] = *p;
	}
	q->npushed = kept;
}

/* Pushes what is new among the rows, list by list. False when Redis is not there. */
static bool push_new(struct relay *r, struct queue *q, void *mem, const struct db_result *rows, int64_t now_us)
{
	int n = db_rows(rows), before = q->npushed;
	const char **ids = mem_array(mem, const char *, (size_t)n + 1);
	struct pushed *grown = mem_grow(q, q->pushed, struct pushed, (size_t)(q->npushed + n + 1));

	q->pushed = grown;
	for (int list = 0; list < LISTS; list++) {
		int nids = 0;

		for (int i = 0; i < n; i++) {
			const char *id = db_text(rows, i, "id");
			struct queue known = { .pushed = q->pushed, .npushed = before };

			if (list_of(rows, i) != list || find(&known, id))
				continue;
			ids[nids++] = id;
			q->pushed[q->npushed] = (struct pushed){ .list = list, .turn = turn_of(rows, i), .at_us = now_us, .seen_us = now_us };
			memcpy(q->pushed[q->npushed++].id, id, strnlen(id, UUID_TEXT - 1) + 1);
		}
		if (nids)
			fail_point("relay.push.before");
		if (nids && !redis_push(r->c->redis, q->keys[list], ids, nids)) {
			q->npushed = before;
			return false;
		}
		if (nids)
			fail_point("relay.push.after");
	}
	qsort(q->pushed, (size_t)q->npushed, sizeof(*q->pushed), by_id);
	return true;
}

static void note_waiting(struct queue *q, const struct db_result *rows, int64_t now_us)
{
	memset(q->waiting, 0, sizeof(q->waiting));
	for (int i = 0; i < db_rows(rows); i++) {
		struct pushed *p = find_row(q, rows, i);

		if (!p)
			continue;
		p->seen_us = now_us;
		q->waiting[p->list]++;
	}
}

static int64_t length_of(const struct queue *q)
{
	int64_t n = 0;

	for (int i = 0; i < LISTS; i++)
		n += q->lengths[i];
	return n;
}

/* Half a second's worth, by what was drained; doubled at once when the runners ran dry with more to come. */
static void window_adapt(struct queue *q, int64_t now_us)
{
	if (q->more && length_of(q) == 0 && q->window < WINDOW_MOST) {
		q->window *= 2;
	} else if (now_us - q->shrink_us > SHRINK_US) {
		if (q->window > 2 * q->drained && q->window > WINDOW_LEAST)
			q->window /= 2;
	}
	if (now_us - q->shrink_us > SHRINK_US) {
		q->shrink_us = now_us;
		q->drained = 0;
	}
	if (q->window > WINDOW_MOST)
		q->window = WINDOW_MOST;
	if (q->window < WINDOW_LEAST)
		q->window = WINDOW_LEAST;
}

/* Looks what waits first in the queue and pushes what Redis does not have. */
static bool look(struct relay *r, struct queue *q, int64_t now_us)
{
	void *mem = mem_root("relay");
	struct db_stmt stmt;
	struct db_result *rows = NULL;
	bool ok;

	window_adapt(q, now_us);
	fail_point("relay.due.before");
	stmt = db_bind(mem, "jobs_due", (const char *const[]){ "queue", q->name, "most", mem_printf(mem, "%d", q->window), NULL });
	ok = db_run(r->c->db, mem, &stmt, 1, true, &rows, NULL) == OK;
	fail_point("relay.due.after");
	if (ok) {
		q->more = db_rows(rows) == q->window;
		q->looked_us = now_us;
		note_waiting(q, rows, now_us);
		forget(q, now_us);
		ok = push_new(r, q, mem, rows, now_us);
	}
	mem_free(mem);
	return ok;
}

/* Redis that has lost the mark has lost the rest too. */
static bool check_mark(struct relay *r)
{
	void *mem = mem_root("mark");
	const char *mark = NULL;
	bool ok = redis_get(r->c->redis, mem, MARK_KEY, &mark);

	if (ok && !str_eq(mark, r->mark)) {
		for (int i = 0; i < r->nqueues; i++)
			r->queues[i]->npushed = 0;
		fail_point("relay.mark.before");
		ok = redis_set(r->c->redis, MARK_KEY, r->mark, 0);
		fail_point("relay.mark.after");
	}
	mem_free(mem);
	return ok;
}

/* Which queues have something due, and when the next will have. */
static bool survey(struct relay *r)
{
	void *mem = mem_root("survey");
	const struct db_stmt stmt = db_bind(mem, "jobs_queues_waiting", NULL);
	struct db_result *rows = NULL;
	bool ok;

	fail_point("relay.survey.before");
	ok = db_run(r->c->db, mem, &stmt, 1, true, &rows, NULL) == OK;
	fail_point("relay.survey.after");
	r->next_ms = NAP_IDLE_MS;
	for (int i = 0; i < r->nqueues; i++)
		r->queues[i]->due = false;
	for (int i = 0; ok && i < db_rows(rows); i++) {
		struct queue *q = queue_of(r, db_text(rows, i, "queue"));
		const char *next = db_text(rows, i, "next_ms");
		int64_t ms;

		q->due = str_eq(db_text(rows, i, "due"), "t");
		if (next && str_to_int(next, INT64_MIN, INT64_MAX, &ms) && ms < r->next_ms)
			r->next_ms = ms < 1 ? 1 : (int)ms;
	}
	mem_free(mem);
	return ok;
}

/* One round. woken: something may be new. False when one of the two servers is away. */
static bool round_(struct relay *r, bool woken)
{
	int64_t now_us = clock_monotonic_us();

	/* Between surveys only the lists are looked at: that is cheap, and they run dry first. */
	if (woken || now_us - r->surveyed_us >= (int64_t)r->next_ms * 1000) {
		/* PostgreSQL first: it ends the lead of those it does not hear from, whatever Redis does. */
		if (!survey(r) || !check_mark(r))
			return false;
		r->surveyed_us = now_us;
	}
	for (int i = 0; i < r->nqueues; i++) {
		struct queue *q = r->queues[i];

		if (!q->due && !q->npushed)
			continue;
		fail_point("relay.lengths.before");
		if (!redis_lengths(r->c->redis, q->keys, LISTS, q->lengths))
			return false;
		fail_point("relay.lengths.after");
		if ((woken || length_of(q) < q->window / 2 || now_us - q->looked_us > LOOK_US) && !look(r, q, now_us))
			return false;
	}
	return true;
}

static bool is_busy(const struct relay *r)
{
	for (int i = 0; i < r->nqueues; i++)
		if (r->queues[i]->more)
			return true;
	return false;
}

void relay_main(struct child *c)
{
	struct relay r = { .c = c };
	bool woken = true;

	uuid_v7(r.mark);
	redis_set_timeout(c->redis, 2000);
	db_listen(c->db, "jobs");
	while (!child_is_leaving()) {
		if (!child_leads(c, LEAD, &r.held)) {
			atomic_store(&c->seat->up, 1);
			child_nap(NAP_IDLE_MS);
			continue;
		}
		atomic_store(&c->seat->up, 1);
		if (!round_(&r, woken)) {
			child_nap(NAP_AWAY_MS);
			woken = true;
			continue;
		}
		woken = db_wait(c->db, is_busy(&r) ? NAP_BUSY_MS : r.next_ms);
	}
}
