/*
 * SQL files run as an operator wants it: by the simple protocol, so that a file may hold many
 * statements, and with errors that name file and line and repeat all that PostgreSQL says (nobody
 * but the operator reads this).
 */
#include "db/script.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define SESSION \
	"-c TimeZone=UTC -c DateStyle=ISO -c client_min_messages=warning " \
	"-c statement_timeout=0 -c idle_in_transaction_session_timeout=0"

static int script_close(struct script *s)
{
	PQfinish(s->conn);
	return 0;
}

static void notice_print(void *arg, const char *message)
{
	(void)arg;
	fprintf(stderr, "  %s", message);
}

static bool is_fit(const PGconn *conn)
{
	const char *encoding = PQparameterStatus(conn, "server_encoding");

	if (PQserverVersion(conn) < 150000) {
		fprintf(stderr, "PostgreSQL 15 or newer is needed; this is %s.\n",
			PQparameterStatus(conn, "server_version"));
		return false;
	}
	if (!str_eq(encoding, "UTF8")) {
		fprintf(stderr, "The database's encoding is %s. Create it with ENCODING 'UTF8'.\n",
			encoding);
		return false;
	}
	return true;
}

struct script *script_open(void *mem, const char *conninfo)
{
	static const char *const keys[] = { "dbname", "client_encoding", "options",
		"fallback_application_name", NULL };
	const char *const values[] = { conninfo, "UTF8", SESSION, "stint migrate", NULL };
	struct script *s = mem_new(mem, struct script);

	s->conn = PQconnectdbParams(keys, values, 1);
	talloc_set_destructor(s, script_close);
	PQsetNoticeProcessor(s->conn, notice_print, NULL);
	if (PQstatus(s->conn) != CONNECTION_OK) {
		fprintf(stderr, "%s", PQerrorMessage(s->conn));
		return NULL;
	}
	return is_fit(s->conn) ? s : NULL;
}

/* The line of the character at position, counting from 1. */
static int line_of(const char *text, const char *position)
{
	int64_t left = 0;
	int line = 1;

	if (!position || !str_to_int(position, 1, INT32_MAX, &left))
		return 0;
	for (const char *p = text; *p && left > 1; p++) {
		if (*p == '\n')
			line++;
		if (((unsigned char)p[1] & 0xC0) != 0x80)
			left--;
	}
	return line;
}

static void detail_print(const PGresult *res, int field, const char *label)
{
	const char *text = PQresultErrorField(res, field);

	if (text)
		fprintf(stderr, "  %s: %s\n", label, text);
}

static void failure_print(struct script *s, const PGresult *res, const char *name, const char *text)
{
	const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	int line = line_of(text, PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION));

	snprintf(s->sqlstate, sizeof(s->sqlstate), "%s", sqlstate ? sqlstate : "");
	if (!message) {
		fprintf(stderr, "%s: %s", name, PQerrorMessage(s->conn));
		return;
	}
	if (line)
		fprintf(stderr, "%s:%d: ", name, line);
	else
		fprintf(stderr, "%s: ", name);
	fprintf(stderr, "%s (SQLSTATE %s)\n", message, s->sqlstate);
	detail_print(res, PG_DIAG_MESSAGE_DETAIL, "detail");
	detail_print(res, PG_DIAG_MESSAGE_HINT, "hint");
	detail_print(res, PG_DIAG_CONTEXT, "in");
}

static bool succeeded(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
		status == PGRES_EMPTY_QUERY;
}

bool script_run(struct script *s, const char *name, const char *text)
{
	PGresult *res = PQexec(s->conn, text);
	bool ok = succeeded(res);

	s->sqlstate[0] = '\0';
	if (!ok)
		failure_print(s, res, name, text);
	PQclear(res);
	return ok;
}

struct rows {
	PGresult *res;
};

static int rows_clear(struct rows *rows)
{
	PQclear(rows->res);
	return 0;
}

const PGresult *script_query(
	struct script *s, void *mem, const char *sql, const char *const params[4])
{
	struct rows *rows = mem_new(mem, struct rows);
	int n = 0;

	while (params && n < 4 && params[n])
		n++;
	s->sqlstate[0] = '\0';
	rows->res = PQexecParams(s->conn, sql, n, NULL, params, NULL, NULL, 0);
	talloc_set_destructor(rows, rows_clear);
	if (succeeded(rows->res))
		return rows->res;
	failure_print(s, rows->res, "stint migrate", sql);
	return NULL;
}

bool script_refused(const struct script *s, const char *sqlstate)
{
	return str_eq(s->sqlstate, sqlstate);
}
