/*
 * A run: some statements, one Sync, one round trip, one implicit transaction.
 *
 * Nothing says BEGIN. PostgreSQL opens a transaction at the first message and commits it at Sync;
 * when a statement fails it skips all that follow up to Sync and rolls back. So app.enter in front
 * is all the guard there is: when it refuses, the route's query is never run, and the connection is
 * clean again without another trip.
 *
 * Preparing rides along: what a connection does not hold yet is parsed in the same pipeline, in
 * front of all statements. A Parse behind app.enter would be skipped whenever entering fails; in
 * front it is only skipped by the failure of another Parse, which is a fault of the program. What
 * succeeded stays prepared even when the run is rolled back, so a query counts as prepared when its
 * own answer has been read, and not before.
 *
 * Running again. Deadlocks and serialization failures were rolled back by the server: always. Stale
 * plans (a migration changed a table under us): once, everything prepared anew. An id that is there already: once, since
 * what a client sent twice at the same time meets its twin's row only then, and is to be answered as its twin was. A lost connection:
 * when the run only reads; or when the server said FATAL before it had answered every statement,
 * since it answers in order and commits after the last; or when Sync was never sent. Else a write
 * may have been committed with the answer lost on the way, and nobody but the caller can know:
 * ERR_UNAVAILABLE.
 */
#include "db/db.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "db/conn.h"
#include "db/fail.h"

enum {
	STMTS_MAX = 16,
	COMMANDS_MAX = 2 * (STMTS_MAX + 1), /* a Parse for each, and the second trip's */
	TRIES_MAX = 4,
	PAUSE_FIRST_US = 4000,
	PAUSE_MOST_US = 40000,
	AGAIN_WITHIN_US = 1000000, /* what was lost later is not begun again: somebody waits */
};

struct db_result {
	PGresult *res;
};

enum outcome {
	RUN_DONE,
	RUN_FAILED,         /* rolled back; fail says why */
	RUN_AGAIN,          /* rolled back; may succeed now */
	RUN_TWIN,           /* rolled back; a twin has done it, perhaps */
	RUN_STALE,          /* rolled back; what is prepared must be dropped first */
	RUN_LOST_UNAPPLIED, /* connection gone, surely nothing committed */
	RUN_LOST,           /* connection gone, nobody knows */
};

/* One thing PostgreSQL will answer. */
struct command {
	const struct query *query;
	int stmt;
	bool parse;
};

struct run {
	struct db *db;
	void *mem;
	const struct db_stmt *stmts;
	int n;
	bool reads;
	db_second_fn second;
	void *arg;
	struct db_result **results;
	struct db_fail *fail;

	struct command commands[COMMANDS_MAX];
	int ncommands, at;      /* sent, and the one being answered */
	int executed, answered; /* statements sent, and those that succeeded */
	bool sync_sent, failed;
	enum fail_kind kind;
};

static int db_close(struct db *db)
{
	PQfinish(db->conn);
	return 0;
}

struct db *db_new(void *mem, const char *conninfo, const char *application_name)
{
	struct db *db = mem_new(mem, struct db);

	db->conninfo = mem_strdup(db, conninfo);
	db->application_name = mem_strdup(db, application_name);
	talloc_set_destructor(db, db_close);
	return db;
}

static int result_clear(struct db_result *r)
{
	PQclear(r->res);
	return 0;
}

static struct db_result *result_keep(void *mem, PGresult *res)
{
	struct db_result *r = mem_new(mem, struct db_result);

	r->res = res;
	talloc_set_destructor(r, result_clear);
	return r;
}

static void command_add(struct run *run, const struct query *query, int stmt, bool parse)
{
	if (run->ncommands == COMMANDS_MAX) {
		log_error("too many statements in one run", NULL);
		abort();
	}
	run->commands[run->ncommands++] =
		(struct command){ .query = query, .stmt = stmt, .parse = parse };
}

static bool is_being_parsed(const struct run *run, const struct query *query)
{
	for (int i = 0; i < run->ncommands; i++)
		if (run->commands[i].parse && run->commands[i].query == query)
			return true;
	return false;
}

static bool send_parse(struct run *run, const struct query *query, int stmt)
{
	if (!query->name || pgconn_has(run->db, query) || is_being_parsed(run, query))
		return true;
	command_add(run, query, stmt, true);
	return PQsendPrepare(run->db->conn, query->name, query->sql, 0, NULL);
}

static bool send_execute(struct run *run, const struct db_stmt *s, int stmt)
{
	const struct query *q = s->query;

	command_add(run, q, stmt, false);
	run->executed++;
	if (!q->name)
		return PQsendQueryParams(
			run->db->conn, q->sql, q->nparams, NULL, s->values, NULL, NULL, 0);
	return PQsendQueryPrepared(run->db->conn, q->name, q->nparams, s->values, NULL, NULL, 0);
}

/* stmts are those of number first and on. */
static bool send_statements(struct run *run, const struct db_stmt *stmts, int n, int first)
{
	for (int i = 0; i < n; i++)
		if (!send_parse(run, stmts[i].query, first + i))
			return false;
	for (int i = 0; i < n; i++)
		if (!send_execute(run, &stmts[i], first + i))
			return false;
	return true;
}

static void take_success(struct run *run, PGresult *res)
{
	const struct command *c = run->at < run->ncommands ? &run->commands[run->at] : NULL;

	if (c && c->parse)
		pgconn_add(run->db, c->query);
	if (!c || c->parse || c->stmt >= run->n) {
		PQclear(res);
	} else {
		run->results[c->stmt] = result_keep(run->mem, res);
	}
	if (c && !c->parse)
		run->answered++;
}

/* The first failure counts; one behind the last command comes from the commit: a deferred
 * constraint. */
static void take_failure(struct run *run, const PGresult *res)
{
	const struct command *c = run->at < run->ncommands ? &run->commands[run->at] : NULL;

	if (run->failed)
		return;
	run->failed = true;
	run->fail->stmt = c ? c->stmt : run->n;
	run->kind = fail_read(run->mem, res, run->fail);
	if (run->fail->err == ERR_INTERNAL || run->fail->err == ERR_UNAVAILABLE)
		fail_log(res, run->kind, c ? c->query->name : "COMMIT");
}

/* A query that says BEGIN would hand its transaction, and its tenant, to the next request. */
static bool is_clean(const struct run *run)
{
	if (PQtransactionStatus(run->db->conn) == PQTRANS_IDLE)
		return true;
	log_error("a statement left its transaction open", "first_query",
		run->commands[0].query->name ? run->commands[0].query->name : "(one-shot)", NULL);
	return false;
}

/* Reads what was asked for: up to the end of Sync, or of the commands sent so far. False when
 * the connection is of no use any more. */
static bool read_answers(struct run *run)
{
	while (run->sync_sent || run->at < run->ncommands) {
		bool lost = false;
		PGresult *res = pgconn_result(run->db, &lost);
		ExecStatusType status = res ? PQresultStatus(res) : PGRES_EMPTY_QUERY;

		if (status == PGRES_FATAL_ERROR)
			take_failure(run, res);
		if (res && !lost && (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK))
			take_success(run, res);
		else
			PQclear(res);
		if (lost || (run->failed && run->kind == FAIL_HANGUP))
			return false;
		if (status == PGRES_PIPELINE_SYNC)
			return is_clean(run);
		/* NULL ends a command. More of them than commands: we are out of step. */
		if (!res && run->at++ > run->ncommands + 1)
			return false;
	}
	return true;
}

static bool send_sync(struct run *run)
{
	run->sync_sent = true;
	return PQpipelineSync(run->db->conn);
}

/* The first trip of two: answers without an end of the transaction. */
static bool first_trip(struct run *run)
{
	struct db_stmt more;

	if (!PQsendFlushRequest(run->db->conn) || PQflush(run->db->conn) < 0 || !read_answers(run))
		return false;
	if (run->failed)
		return true;
	more = run->second(run->arg, run->mem, run->results);
	return !more.query || send_statements(run, &more, 1, run->n);
}

static bool exchange(struct run *run)
{
	return send_statements(run, run->stmts, run->n, 0) && (!run->second || first_trip(run)) &&
		send_sync(run) && read_answers(run);
}

static void run_reset(struct run *run)
{
	for (int i = 0; i < run->n; i++) {
		mem_free(run->results[i]);
		run->results[i] = NULL;
	}
	run->ncommands = run->at = run->executed = run->answered = 0;
	run->sync_sent = run->failed = false;
	*run->fail = (struct db_fail){ .err = ERR_UNAVAILABLE };
}

/* A connection to run on. One that died in idleness would make a write's fate unknown, so before
 * a write it is looked at. */
static bool run_open(struct run *run)
{
	struct db *db = run->db;

	if (db->conn && !run->reads && !pgconn_is_quiet(db))
		pgconn_drop(db, "the server hung up");
	return pgconn_open(db);
}

static enum outcome run_lost(struct run *run)
{
	bool said_so = run->failed && run->kind == FAIL_HANGUP;
	bool unapplied = !run->sync_sent || (said_so && run->answered < run->executed);

	pgconn_drop(run->db, said_so ? "the server ended it" : "lost");
	run->fail->err = ERR_UNAVAILABLE;
	return unapplied ? RUN_LOST_UNAPPLIED : RUN_LOST;
}

static enum outcome run_once(struct run *run)
{
	static const enum outcome outcomes[] = {
		[FAIL_FINAL] = RUN_FAILED,
		[FAIL_AGAIN] = RUN_AGAIN,
		[FAIL_STALE] = RUN_STALE,
		[FAIL_TWIN] = RUN_TWIN,
	};

	run_reset(run);
	if (!run_open(run))
		return RUN_FAILED;
	if (!exchange(run))
		return run_lost(run);
	if (run->failed)
		return outcomes[run->kind];
	run->fail->err = OK;
	return RUN_DONE;
}

static void pause_us(int64_t us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

/* Readies the next try after outcome; false when there must be none. */
static bool may_try_again(struct run *run, enum outcome outcome, int tried, int64_t took_us)
{
	if (outcome == RUN_AGAIN && tried < TRIES_MAX) {
		pause_us(backoff_us(PAUSE_FIRST_US, PAUSE_MOST_US, tried));
		return true;
	}
	if (tried > 1)
		return false;
	if (outcome == RUN_TWIN)
		return true;
	if (outcome == RUN_STALE) {
		if (!pgconn_forget_prepared(run->db))
			pgconn_drop(run->db, "could not forget what was prepared");
		return true;
	}
	return took_us < AGAIN_WITHIN_US &&
		(outcome == RUN_LOST_UNAPPLIED || (outcome == RUN_LOST && run->reads));
}

static enum err run_all(struct run *run)
{
	int64_t started_us = clock_monotonic_us();
	struct db_fail unasked;
	enum outcome outcome;
	int tried = 0;

	if (run->n < 1 || run->n > STMTS_MAX) {
		log_error("a run takes 1 to 16 statements", NULL);
		abort();
	}
	if (!run->fail)
		run->fail = &unasked;
	for (int i = 0; i < run->n; i++)
		run->results[i] = NULL;
	do {
		outcome = run_once(run);
		tried++;
	} while (outcome != RUN_DONE &&
		may_try_again(run, outcome, tried, clock_monotonic_us() - started_us));
	if (outcome != RUN_DONE)
		for (int i = 0; i < run->n; i++) {
			mem_free(run->results[i]);
			run->results[i] = NULL;
		}
	return run->fail->err;
}

enum err db_run(struct db *db, void *mem, const struct db_stmt *stmts, int n, bool reads,
	struct db_result **results, struct db_fail *fail)
{
	struct run run = {
		.db = db,
		.mem = mem,
		.stmts = stmts,
		.n = n,
		.reads = reads,
		.results = results,
		.fail = fail,
	};

	return run_all(&run);
}

enum err db_run_then(struct db *db, void *mem, const struct db_stmt *stmts, int n,
	db_second_fn second, void *arg, struct db_result **results, struct db_fail *fail)
{
	struct run run = {
		.db = db,
		.mem = mem,
		.stmts = stmts,
		.n = n,
		.second = second,
		.arg = arg,
		.results = results,
		.fail = fail,
	};

	return run_all(&run);
}

/* An empty pipeline: the server answers Sync without touching a table. */
static bool is_answering(struct db *db)
{
	ExecStatusType status;
	bool lost = false;

	if (!PQpipelineSync(db->conn))
		return false;
	do {
		PGresult *res = pgconn_result(db, &lost);

		status = res ? PQresultStatus(res) : PGRES_EMPTY_QUERY;
		PQclear(res);
	} while (!lost && status != PGRES_PIPELINE_SYNC && status != PGRES_FATAL_ERROR);
	return !lost && status == PGRES_PIPELINE_SYNC;
}

bool db_ping(struct db *db)
{
	for (int tries = 0; tries < 2 && pgconn_open(db); tries++) {
		if (is_answering(db))
			return true;
		pgconn_drop(db, "did not answer");
	}
	return false;
}

struct db_stmt db_bind(void *mem, const char *query, const char *const *given)
{
	const struct query *q = query_find(query);
	const char **values;

	if (!q) {
		log_error("there is no such query", "query", query, NULL);
		abort();
	}
	values = mem_array(mem, const char *, (size_t)q->nparams + 1);
	for (int i = 0; i < q->nparams; i++)
		for (int k = 0; given && given[k]; k += 2)
			if (str_eq(given[k], q->params[i]))
				values[i] = given[k + 1];
	return (struct db_stmt){ .query = q, .values = values };
}

int db_rows(const struct db_result *r)
{
	return r ? PQntuples(r->res) : 0;
}

/* Not PQfnumber, which copies and folds the name for every look-up. */
const char *db_text(const struct db_result *r, int row, const char *column)
{
	if (!r || row < 0 || row >= PQntuples(r->res))
		return NULL;
	for (int i = 0; i < PQnfields(r->res); i++)
		if (str_eq(PQfname(r->res, i), column))
			return PQgetisnull(r->res, row, i) ? NULL : PQgetvalue(r->res, row, i);
	return NULL;
}
