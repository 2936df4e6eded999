/*
 * SQLSTATE and constraint names turned into errors.def. Three sources, in this order: app.refuse
 * (ST001) says code, field and extra itself; a violated constraint goes by its name; a handful of
 * SQLSTATEs mean something to a client. All else is ours to mend: ERR_INTERNAL.
 *
 * PostgreSQL's own words never go further than this file: they quote values and name tables.
 */
#include "db/fail.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

static const struct {
	const char *sqlstate; /* whole, or the class */
	enum err err;
	enum fail_kind kind;
} meanings[] = {
	{ .sqlstate = "40P01", .err = ERR_UNAVAILABLE, .kind = FAIL_AGAIN }, /* deadlock */
	{ .sqlstate = "40001", .err = ERR_UNAVAILABLE, .kind = FAIL_AGAIN }, /* serialization */
	{ .sqlstate = "26000", .err = ERR_INTERNAL, .kind = FAIL_STALE },    /* not prepared here */
	{ .sqlstate = "42P05", .err = ERR_INTERNAL, .kind = FAIL_STALE },    /* prepared already */

	{ .sqlstate = "22P02", .err = ERR_MALFORMED }, /* no such uuid, number … */
	{ .sqlstate = "22007", .err = ERR_MALFORMED }, /* no such date */
	{ .sqlstate = "22008", .err = ERR_MALFORMED }, /* a date out of range */
	{ .sqlstate = "22003", .err = ERR_MALFORMED }, /* a number out of range */
	{ .sqlstate = "22021", .err = ERR_ENCODING },
	{ .sqlstate = "22P05", .err = ERR_ENCODING },
	{ .sqlstate = "57014", .err = ERR_UNAVAILABLE }, /* statement_timeout */
	{ .sqlstate = "55P03", .err = ERR_UNAVAILABLE }, /* lock_timeout */
	{ .sqlstate = "53", .err = ERR_UNAVAILABLE },    /* disk, memory, connections */
	{ .sqlstate = "57", .err = ERR_UNAVAILABLE },    /* the operator intervened */
	{ .sqlstate = "58", .err = ERR_UNAVAILABLE },    /* the disk under it */
};

/* A constraint violation; restrict_violation and not_null carry no name worth mapping. */
static bool is_violation(const char *sqlstate)
{
	return str_eq(sqlstate, "23505") || str_eq(sqlstate, "23503") ||
		str_eq(sqlstate, "23514") || str_eq(sqlstate, "23P01");
}

static const char *copy(void *mem, const char *text)
{
	return text && *text ? mem_strdup(mem, text) : NULL;
}

/* A plan whose row type changed: 0A000 is said of much else, so the place in PostgreSQL's source
 * decides; its message is translated by locale. */
static bool is_stale_plan(const char *sqlstate, const PGresult *res)
{
	return str_eq(sqlstate, "0A000") &&
		str_eq(PQresultErrorField(res, PG_DIAG_SOURCE_FUNCTION), "RevalidateCachedQuery");
}

enum fail_kind fail_read(void *mem, const PGresult *res, struct db_fail *fail)
{
	const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);

	*fail = (struct db_fail){ .err = ERR_INTERNAL, .stmt = fail->stmt };
	if (!sqlstate)
		return FAIL_FINAL;
	if (str_eq(severity, "FATAL") || str_eq(severity, "PANIC")) {
		fail->err = ERR_UNAVAILABLE;
		return FAIL_HANGUP;
	}
	if (str_eq(sqlstate, "ST001")) {
		fail->err = err_by_code(PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
		fail->field = copy(mem, PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL));
		fail->extra = copy(mem, PQresultErrorField(res, PG_DIAG_MESSAGE_HINT));
		return FAIL_FINAL;
	}
	if (is_violation(sqlstate)) {
		fail->err = err_by_constraint(
			PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME), &fail->field);
		return fail->err == ERR_ID_TAKEN ? FAIL_TWIN : FAIL_FINAL;
	}
	if (is_stale_plan(sqlstate, res))
		return FAIL_STALE;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++) {
		if (!str_starts(sqlstate, meanings[i].sqlstate))
			continue;
		fail->err = meanings[i].err;
		return meanings[i].kind;
	}
	return FAIL_FINAL;
}

/* Faults of the program or the server, whose messages name things of the schema and no values. */
static bool message_is_harmless(const char *sqlstate)
{
	static const char *const classes[] = { "0A", "25", "26", "3D", "3F", "40", "42", "53", "54",
		"55", "57", "58", "XX" };

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (str_starts(sqlstate, classes[i]))
			return true;
	return false;
}

void fail_log(const PGresult *res, enum fail_kind kind, const char *query_name)
{
	enum log_level level = kind == FAIL_AGAIN || kind == FAIL_STALE ? LOG_WARN_ : LOG_ERROR_;
	const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
	const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	/* ST001 here is a code that errors.def does not have. */
	bool ours = str_eq(sqlstate, "ST001");

	if (!sqlstate) { /* libpq's own words, of a connection that broke */
		log_warn("connection broke", "query", query_name ? query_name : "(one-shot)", "why",
			PQresultErrorMessage(res), NULL);
		return;
	}
	if (!message || !(ours || message_is_harmless(sqlstate)))
		message = "(withheld: may hold values)";
	log_write(level, "query failed", "query", query_name ? query_name : "(one-shot)",
		"sqlstate", sqlstate, "constraint", constraint ? constraint : "-",
		"message", message, NULL);
}
