/*
 * One connection of one worker: made when first needed, kept in pipeline mode, mended after a loss.
 *
 * Nobody waits for a database that is away. Connecting has a deadline of its own (libpq's
 * connect_timeout knows whole seconds, two at least); after a failure the next tries come with
 * growing, jittered pauses, and calls in between are refused at once. So a request is never held
 * for longer than CONNECT_MS, and a database that is back is found within the longest pause.
 *
 * Waiting for results is done here and not inside PQgetResult, because libpq would wait for ever
 * for a server that is stopped but not dead. It costs nothing: the same poll and recv. (A server
 * that stops reading in the middle of a parameter larger than the socket's buffer is left to the
 * time limit of the worker.)
 *
 * What the session must be is set in the start packet, without a trip, and checked against what the
 * server reports: UTF8 and UTC, since documents are made in SQL and go out as they are.
 */
#include "db/conn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	CONNECT_MS = 1500,
	RESULT_MS = 15000, /* statement_timeout and then some */
	PAUSE_FIRST_US = 250000,
	PAUSE_MOST_US = 1000000,
	SLOTS_FIRST = 64,
};

/* jit: compiling costs a small query more than running it. idle_in_transaction: a worker that
 * was stopped between the two trips of db_run_then would hold its locks for ever. */
#define SESSION \
	"-c TimeZone=UTC -c DateStyle=ISO -c statement_timeout=10s -c jit=off " \
	"-c idle_in_transaction_session_timeout=10s"

int64_t backoff_us(int64_t first_us, int64_t most_us, int attempt)
{
	int64_t pause_us = first_us << (attempt < 10 ? attempt : 10);
	uint32_t dice = 0;

	if (pause_us > most_us)
		pause_us = most_us;
	if (getrandom(&dice, sizeof(dice), GRND_NONBLOCK) != (ssize_t)sizeof(dice))
		dice = (uint32_t)clock_monotonic_us();
	return pause_us - (int64_t)dice % (pause_us / 2 + 1);
}

/* libpq's own words: they name host and user, never the password. */
static void log_refused(struct db *db, const PGconn *conn)
{
	char *why;

	if (db->failures)
		return; /* said once for each time the database goes away */
	why = str_trim(db, conn ? PQerrorMessage(conn) : "out of memory");
	log_error("database is away", "why", why, NULL);
	mem_free(why);
}

/* What a notice says may hold people's data: its SQLSTATE alone is logged. */
static void notice_log(void *arg, const PGresult *res)
{
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);

	(void)arg;
	if (!severity || str_eq(severity, "NOTICE") || str_eq(severity, "INFO") ||
		str_eq(severity, "DEBUG") || str_eq(severity, "LOG"))
		return;
	log_warn("database notice", "severity", severity, "sqlstate",
		PQresultErrorField(res, PG_DIAG_SQLSTATE), NULL);
}

/* Ours first, so that what the operator wrote in the connection string has the last word. */
static char *session_options(void *mem, const char *conninfo)
{
	PQconninfoOption *given = PQconninfoParse(conninfo, NULL);
	char *options = NULL;

	for (const PQconninfoOption *o = given; o && o->keyword; o++)
		if (str_eq(o->keyword, "options") && o->val)
			options = mem_printf(mem, "%s %s", SESSION, o->val);
	if (given)
		PQconninfoFree(given);
	return options ? options : mem_strdup(mem, SESSION);
}

static PGconn *connect_start(struct db *db)
{
	char *options = session_options(db, db->conninfo);
	const char *const keys[] = { "dbname", "application_name", "client_encoding", "options",
		NULL };
	const char *const values[] = { db->conninfo, db->application_name, "UTF8", options, NULL };
	PGconn *conn = PQconnectStartParams(keys, values, 1);

	mem_free(options);
	return conn;
}

/* Waits for the socket; false when the deadline has passed. */
static bool socket_wait(const PGconn *conn, short events, int64_t deadline_us)
{
	for (;;) {
		struct pollfd fd = { .fd = PQsocket(conn), .events = events };
		int64_t left_us = deadline_us - clock_monotonic_us();
		int n;

		if (left_us <= 0)
			return false;
		n = poll(&fd, 1, (int)((left_us + 999) / 1000));
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static bool connect_finish(PGconn *conn)
{
	int64_t deadline_us = clock_monotonic_us() + (int64_t)CONNECT_MS * 1000;
	PostgresPollingStatusType want = PGRES_POLLING_WRITING;

	if (!conn || PQstatus(conn) == CONNECTION_BAD)
		return false;
	while (want != PGRES_POLLING_OK) {
		if (want == PGRES_POLLING_FAILED)
			return false;
		if (!socket_wait(
			    conn, want == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_us))
			return false;
		want = PQconnectPoll(conn);
	}
	return true;
}

/* A database that would give wrong documents is not used at all. */
static bool session_is_right(const PGconn *conn)
{
	static const char *const must[][2] = {
		{ "server_encoding", "UTF8" },
		{ "client_encoding", "UTF8" },
		{ "TimeZone", "UTC" },
		{ "integer_datetimes", "on" },
	};

	for (size_t i = 0; i < sizeof(must) / sizeof(*must); i++) {
		const char *is = PQparameterStatus(conn, must[i][0]);

		if (str_eq(is, must[i][1]))
			continue;
		log_error("database session is not fit for use", "setting", must[i][0], "is", is,
			"must_be", must[i][1], NULL);
		return false;
	}
	return true;
}

static void prepared_reset(struct db *db)
{
	if (db->nslots)
		memset(db->slots, 0, sizeof(*db->slots) * db->nslots);
	db->nprepared = 0;
}

bool pgconn_command(struct db *db, const char *sql)
{
	bool lost = false, ok = true;
	PGresult *res;
	ExecStatusType status;

	if (!PQsendQueryParams(db->conn, sql, 0, NULL, NULL, NULL, NULL, 0) || !PQpipelineSync(db->conn))
		return false;
	do {
		res = pgconn_result(db, &lost);
		status = res ? PQresultStatus(res) : PGRES_COMMAND_OK;
		ok = ok && status != PGRES_FATAL_ERROR;
		PQclear(res);
	} while (!lost && status != PGRES_PIPELINE_SYNC);
	return ok && !lost;
}

/* The channel is a name of this program's own, and quoted all the same. */
static bool listen_again(struct db *db)
{
	char *name = PQescapeIdentifier(db->conn, db->channel, strlen(db->channel));
	char *sql = name ? mem_printf(db, "LISTEN %s", name) : NULL;
	bool ok = sql && pgconn_command(db, sql);

	PQfreemem(name);
	mem_free(sql);
	return ok;
}

bool pgconn_open(struct db *db)
{
	PGconn *conn;

	if (db->conn)
		return true;
	if (clock_monotonic_us() < db->retry_at_us)
		return false;
	conn = connect_start(db);
	if (!connect_finish(conn) || !session_is_right(conn) || !PQenterPipelineMode(conn)) {
		log_refused(db, conn);
		PQfinish(conn);
		db->retry_at_us = clock_monotonic_us() +
			backoff_us(PAUSE_FIRST_US, PAUSE_MOST_US, db->failures++);
		return false;
	}
	PQsetNoticeReceiver(conn, notice_log, NULL);
	if (db->failures)
		log_info("database is back", NULL);
	db->failures = 0;
	db->conn = conn;
	db->generation++;
	prepared_reset(db);
	if (db->channel && !listen_again(db)) {
		pgconn_drop(db, "would not listen");
		return false;
	}
	return true;
}

void pgconn_drop(struct db *db, const char *why)
{
	if (!db->conn)
		return;
	log_warn("database connection dropped", "why", why, NULL);
	PQfinish(db->conn);
	db->conn = NULL;
	db->retry_at_us = 0;
}

bool db_listen(struct db *db, const char *channel)
{
	db->channel = mem_strdup(db, channel);
	return db->conn ? listen_again(db) : pgconn_open(db);
}

int64_t db_generation(const struct db *db)
{
	return db->generation;
}

static bool notices_take(struct db *db)
{
	bool any = false;
	PGnotify *notice;

	while ((notice = PQnotifies(db->conn)) != NULL) {
		any = true;
		PQfreemem(notice);
	}
	return any;
}

bool db_wait(struct db *db, int wait_ms)
{
	struct pollfd fd = { .fd = -1, .events = POLLIN };

	if (pgconn_open(db)) {
		if (notices_take(db))
			return true;
		fd.fd = PQsocket(db->conn);
	}
	if (poll(&fd, 1, wait_ms) <= 0 || fd.fd < 0)
		return false;
	if (!PQconsumeInput(db->conn)) {
		pgconn_drop(db, "the server hung up");
		return false;
	}
	PQisBusy(db->conn); /* parses what came */
	return notices_take(db);
}

bool pgconn_is_quiet(struct db *db)
{
	for (int looks = 0; looks < 3; looks++) {
		char byte;
		ssize_t n = recv(PQsocket(db->conn), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
		/* Words without a question: a notice, a changed setting, or a farewell; the next
		 * look tells. */
		if (n == 0 || !PQconsumeInput(db->conn))
			return false;
		PQisBusy(db->conn); /* parses them */
	}
	return true;
}

PGresult *pgconn_result(struct db *db, bool *lost)
{
	int64_t deadline_us = 0;
	PGresult *res;

	while (PQisBusy(db->conn)) {
		if (!deadline_us)
			deadline_us = clock_monotonic_us() + (int64_t)RESULT_MS * 1000;
		if (!socket_wait(db->conn, POLLIN, deadline_us)) {
			*lost = true;
			return NULL;
		}
		if (!PQconsumeInput(db->conn))
			break;
	}
	res = PQgetResult(db->conn);
	*lost = PQstatus(db->conn) == CONNECTION_BAD;
	return res;
}

/* Where query stands, or the free slot where it would. */
static unsigned int slot_of(const struct db *db, const struct query *query)
{
	unsigned int at = (unsigned int)(((uintptr_t)query >> 4) * 2654435761U) & (db->nslots - 1);

	while (db->slots[at] && db->slots[at] != query)
		at = (at + 1) & (db->nslots - 1);
	return at;
}

bool pgconn_has(const struct db *db, const struct query *query)
{
	return db->nprepared && db->slots[slot_of(db, query)];
}

void pgconn_add(struct db *db, const struct query *query)
{
	const struct query **old = db->slots;
	unsigned int nold = db->nslots;

	if (db->nprepared * 2 >= nold) {
		db->nslots = nold ? nold * 2 : SLOTS_FIRST;
		db->slots = mem_array(db, const struct query *, db->nslots);
		for (unsigned int i = 0; i < nold; i++)
			if (old[i])
				db->slots[slot_of(db, old[i])] = old[i];
		mem_free(old);
	}
	db->slots[slot_of(db, query)] = query;
	db->nprepared++;
}

bool pgconn_forget_prepared(struct db *db)
{
	prepared_reset(db);
	return pgconn_command(db, "DEALLOCATE ALL");
}
