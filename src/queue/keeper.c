/*
 * The keeper: what a worker owes PostgreSQL besides running jobs. Longer leases for what its runners are at, and the news that a
 * job is to be cancelled; which job took its process along; leases that ran out anywhere; schedules; counters; and its
 * own row among the workers. It works from the board alone, so a runner that hangs is still spoken for, until its hard limit.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/iso8601.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "queue/child.h"
#include "queue/kinds.h"
#include "queue/schedule.h"

enum {
	NAP_MS = 100,
	REAP_US = 500000,
	SCHEDULE_US = 1000000,
	BEAT_US = 2000000,
	COUNT_US = 1000000,
	REAP_MOST = 500,
	HELD_MOST = 1024,
	QUEUES_MOST = 256, /* 32 pools of 8 */
};

struct keeper {
	struct child *c;
	struct schedule *schedule;
	int64_t heartbeat_us, reap_us, schedule_us, beat_us, count_us, idle_us;
	struct crash pending; /* not told yet */
	bool has_pending, declared;
	int idle_looks;
};

static enum err try(struct keeper *k, void *mem, const char *query, const char *const *given, struct db_result **rows)
{
	const struct db_stmt stmt = db_bind(mem, query, given);

	return db_run(k->c->db, mem, &stmt, 1, false, rows, NULL);
}

static bool ask(struct keeper *k, void *mem, const char *query, const char *const *given, struct db_result **rows)
{
	return try(k, mem, query, given, rows) == OK;
}

static bool is_due(int64_t *next_us, int64_t every_us)
{
	int64_t now_us = clock_monotonic_us();

	if (now_us < *next_us)
		return false;
	*next_us = now_us + every_us;
	return true;
}

/* The kinds this program has; renewed by every worker that starts, so that jobs of new ones can be enqueued. */
static void declare(struct keeper *k)
{
	void *mem = mem_root("declare");
	struct db_result *rows;

	k->declared = ask(k, mem, "jobs_kinds_declare", (const char *const[]){ "kinds", job_kinds_json(mem, k->c->crew->kinds), NULL },
		&rows);
	mem_free(mem);
}

static void tell_crashes(struct keeper *k)
{
	while (k->has_pending || board_crash_take(k->c->board, &k->pending)) {
		void *mem = mem_root("crash");
		const char *lease = k->pending.lease ? mem_printf(mem, "%lld", (long long)k->pending.lease) : NULL;
		struct db_result *rows = NULL;
		enum err e;

		fail_point("crash.before");
		e = try(k, mem, "jobs_crashed",
			(const char *const[]){ "job_id", k->pending.job, "lease", lease, "how", k->pending.how, NULL }, &rows);
		fail_point("crash.after");
		if (!e)
			log_error("a job took its process along", "job", k->pending.job, "how", k->pending.how, "so_it_is",
				db_text(rows, 0, "state"), NULL);
		mem_free(mem);
		k->has_pending = e == ERR_UNAVAILABLE; /* what is refused now would be so for ever, and hold up all news after it */
		if (k->has_pending)
			return;
	}
}

static void seat_cancel(struct keeper *k, const char *job)
{
	for (int i = 0; i < k->c->board->nseats; i++) {
		struct seat copy;

		if (seat_look(&k->c->board->seats[i], &copy) && str_eq(copy.job, job))
			atomic_store(&k->c->board->seats[i].cancel, copy.lease);
	}
}

/* A job that is to be cancelled, or is not ours any more, is told to come to an end. */
static void heartbeat(struct keeper *k)
{
	void *mem = mem_root("heartbeat");
	const char *ids[HELD_MOST], *leases[HELD_MOST];
	struct db_result *rows = NULL;
	int n = 0;

	for (int i = 0; i < k->c->board->nseats && n < HELD_MOST; i++) {
		struct seat seat;

		if (!seat_look(&k->c->board->seats[i], &seat) || !seat.job[0] || !seat.lease)
			continue;
		ids[n] = mem_strdup(mem, seat.job);
		leases[n++] = mem_printf(mem, "%lld", (long long)seat.lease);
	}
	if (n)
		fail_point("heartbeat.before");
	if (n && ask(k, mem, "jobs_heartbeat",
		    (const char *const[]){ "ids", array_text(mem, ids, n), "leases", array_text(mem, leases, n), "lease_s",
			    mem_printf(mem, "%lld", (long long)k->c->crew->conf->worker_lease_s), NULL },
		    &rows))
		for (int i = 0; i < db_rows(rows); i++)
			seat_cancel(k, db_text(rows, i, "id"));
	if (n)
		fail_point("heartbeat.after");
	mem_free(mem);
}

static void reap(struct keeper *k)
{
	void *mem = mem_root("reap");
	struct db_result *rows = NULL;

	fail_point("reap.before");
	if (ask(k, mem, "jobs_reap", (const char *const[]){ "most", mem_printf(mem, "%d", REAP_MOST), NULL }, &rows) &&
		!str_eq(db_text(rows, 0, "n"), "0"))
		log_warn("jobs of a lost worker wait again", "jobs", db_text(rows, 0, "n"), NULL);
	fail_point("reap.after");
	mem_free(mem);
}

/* What each runner is at, for the operator. */
static struct json_object *beat_doc(struct keeper *k)
{
	struct json_object *doc = json_object_new_object(), *list = json_object_new_array(), *queues = json_object_new_array();
	int64_t now_us = clock_monotonic_us();

	for (int i = 0; i < k->c->npools; i++)
		for (int q = 0; q < k->c->pools[i].nqueues; q++)
			json_object_array_add(queues, json_object_new_string(k->c->pools[i].queues[q]));
	for (int i = 0; i < k->c->board->nseats; i++) {
		struct json_object *o;
		struct seat seat;

		if (!k->c->board->seats[i].pid || !seat_look(&k->c->board->seats[i], &seat) || !seat.job[0])
			continue;
		o = json_object_new_object();
		json_object_object_add(o, "pid", json_object_new_int64(seat.pid));
		json_object_object_add(o, "job", json_object_new_string(seat.job));
		json_object_object_add(o, "kind", json_object_new_string(k->c->crew->kinds[seat.kind]->name));
		json_object_object_add(o, "ms", json_object_new_int64((now_us - seat.since_us) / 1000));
		json_object_array_add(list, o);
	}
	json_object_object_add(doc, "queues", queues);
	json_object_object_add(doc, "running", list);
	return doc;
}

static void beat(struct keeper *k)
{
	void *mem = mem_root("beat");
	struct db_result *rows;
	char host[65] = "";

	gethostname(host, sizeof(host) - 1);
	ask(k, mem, "jobs_worker_beat",
		(const char *const[]){ "worker_id", k->c->worker_id, "host", host, "pid", mem_printf(mem, "%d", (int)getppid()), "doc",
			json_text(mem, json_own(mem, beat_doc(k))), NULL },
		&rows);
	mem_free(mem);
}

/* Takes what was counted off the board. */
static struct json_object *count_take(struct keeper *k, int kind, int outcome)
{
	struct tally *t = &k->c->board->tallies[kind];
	struct json_object *o = json_object_new_object(), *buckets = json_object_new_array();

	json_object_object_add(o, "kind", json_object_new_string(k->c->crew->kinds[kind]->name));
	json_object_object_add(o, "outcome", json_object_new_string(outcome_name((enum job_outcome)outcome)));
	json_object_object_add(o, "count", json_object_new_int64(atomic_exchange(&t->count[outcome], 0)));
	json_object_object_add(o, "took_ms", json_object_new_int64(atomic_exchange(&t->took_ms[outcome], 0)));
	for (int b = 0; b < BUCKETS; b++)
		json_object_array_add(buckets, json_object_new_int64(atomic_exchange(&t->buckets[outcome][b], 0)));
	json_object_object_add(o, "buckets", buckets);
	return o;
}

static void count_return(struct keeper *k, int kind, int outcome, struct json_object *row)
{
	struct tally *t = &k->c->board->tallies[kind];
	struct json_object *buckets = json_object_object_get(row, "buckets");

	atomic_fetch_add(&t->count[outcome], json_object_get_int64(json_object_object_get(row, "count")));
	atomic_fetch_add(&t->took_ms[outcome], json_object_get_int64(json_object_object_get(row, "took_ms")));
	for (size_t b = 0; b < BUCKETS; b++)
		atomic_fetch_add(&t->buckets[outcome][b], json_object_get_int64(json_object_array_get_idx(buckets, b)));
}

/* What was counted since somebody last looked; taken, so that whichever keeper comes next does not count it again. */
static void count(struct keeper *k)
{
	void *mem = mem_root("count");
	struct json_object *list = json_own(mem, json_object_new_array());
	struct { int kind, outcome; } places[BOARD_KINDS * OUTCOMES];
	struct db_result *rows;
	size_t n = 0;

	for (int kind = 0; kind < BOARD_KINDS && k->c->crew->kinds[kind]; kind++)
		for (int outcome = 0; outcome < OUTCOMES; outcome++) {
			if (!atomic_load(&k->c->board->tallies[kind].count[outcome]))
				continue;
			json_object_array_add(list, count_take(k, kind, outcome));
			places[n].kind = kind;
			places[n++].outcome = outcome;
		}
	if (n && !ask(k, mem, "jobs_count_add", (const char *const[]){ "counts", json_text(mem, list), NULL }, &rows))
		for (size_t i = 0; i < n; i++)
			count_return(k, places[i].kind, places[i].outcome, json_object_array_get_idx(list, i));
	mem_free(mem);
}

/* With --until-idle: twice in a row nothing was left, so nothing is on its way from one place to another. */
static void look_idle(struct keeper *k)
{
	void *mem = mem_root("idle");
	const char *queues[QUEUES_MOST];
	struct db_result *rows = NULL;
	int n = 0;

	for (int i = 0; i < k->c->npools; i++)
		for (int q = 0; q < k->c->pools[i].nqueues && n < QUEUES_MOST; q++)
			queues[n++] = k->c->pools[i].queues[q];
	if (ask(k, mem, "jobs_is_idle", (const char *const[]){ "queues", array_text(mem, queues, n), NULL }, &rows) &&
		str_eq(db_text(rows, 0, "idle"), "t") && !k->has_pending && atomic_load(&k->c->board->intake_idle))
		k->idle_looks++;
	else
		k->idle_looks = 0;
	mem_free(mem);
	if (k->idle_looks >= 2)
		atomic_store(&k->c->board->idle, 1);
}

static void turn(struct keeper *k)
{
	int64_t lease_us = k->c->crew->conf->worker_lease_s * 1000000;

	if (!k->declared)
		declare(k);
	tell_crashes(k);
	if (is_due(&k->heartbeat_us, lease_us / 4 < 1000000 ? lease_us / 4 : 1000000))
		heartbeat(k);
	if (is_due(&k->reap_us, REAP_US))
		reap(k);
	if (is_due(&k->schedule_us, SCHEDULE_US))
		schedule_tick(k->schedule, k->c->db, clock_now_us() / 1000000);
	if (is_due(&k->beat_us, BEAT_US))
		beat(k);
	if (is_due(&k->count_us, COUNT_US))
		count(k);
	if (k->c->crew->until_idle && is_due(&k->idle_us, 4 * NAP_MS * 1000))
		look_idle(k);
}

void keeper_main(struct child *c)
{
	struct keeper *k = mem_new(c->mem, struct keeper);
	const char *why = NULL;
	void *mem;
	struct db_result *rows;

	k->c = c;
	k->schedule = schedule_new(k, c->crew->kinds, &why);
	if (!k->schedule) {
		log_error("the keeper cannot work", "why", why, NULL);
		_exit(EXIT_WRONG);
	}
	while (!child_is_leaving()) {
		turn(k);
		if (k->declared)
			atomic_store(&c->seat->up, 1);
		child_nap(NAP_MS);
	}
	/* The crew lets the keeper go last, so this is all there was to tell. */
	tell_crashes(k);
	reap(k);
	count(k);
	mem = mem_root("gone");
	ask(k, mem, "jobs_worker_gone", (const char *const[]){ "worker_id", c->worker_id, NULL }, &rows);
	mem_free(mem);
}
