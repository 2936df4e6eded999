#ifndef STINT_UNIT_PG_H
#define STINT_UNIT_PG_H
/*
 * A PostgreSQL for unit tests: the scratch cluster that ./dev test gives, through an operator's
 * plain connection beside the one that is tested. Each test program works in a database of its own,
 * so that they may run side by side and beside the stack.
 */
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "base/mem.h"
#include "db/db.h"

/* Fails the test when there is none: a check that was not made is no check that passed. */
static inline const char *pg_url(void)
{
	const char *url = getenv("STINT_TEST_DATABASE_URL");

	ck_assert_msg(url && *url,
		"STINT_TEST_DATABASE_URL is not set. Run the tests by ./dev test, "
		"or name a superuser's connection to a scratch cluster.");
	return url;
}

struct pg {
	PGconn *conn;
};

static inline int pg_close(struct pg *pg)
{
	PQfinish(pg->conn);
	return 0;
}

static inline PGconn *pg_open(void *mem, const char *url)
{
	struct pg *pg = mem_new(mem, struct pg);

	pg->conn = PQconnectdb(url);
	talloc_set_destructor(pg, pg_close);
	ck_assert_msg(PQstatus(pg->conn) == CONNECTION_OK, "%s", PQerrorMessage(pg->conn));
	return pg->conn;
}

/* Runs sql, which may be many statements; gives the first value of the last, "" without one. */
static inline const char *pg_run(PGconn *conn, const char *sql)
{
	PGresult *res = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(res);
	char *value;

	ck_assert_msg(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", sql,
		PQerrorMessage(conn));
	value = mem_strdup(unit_mem, PQntuples(res) ? PQgetvalue(res, 0, 0) : "");
	PQclear(res);
	return value;
}

static inline long pg_number(PGconn *conn, const char *sql)
{
	return strtol(pg_run(conn, sql), NULL, 10);
}

/* The given connection with its database replaced by dbname, and then extra ("options='-c …'"). */
static inline const char *pg_info(const char *dbname, const char *extra)
{
	PQconninfoOption *given = PQconninfoParse(pg_url(), NULL);
	char *info = mem_printf(unit_mem, "dbname=%s", dbname);

	ck_assert_msg(given, "STINT_TEST_DATABASE_URL cannot be read");
	for (const PQconninfoOption *o = given; o->keyword; o++)
		if (o->val && strcmp(o->keyword, "dbname") != 0)
			info = mem_printf(unit_mem, "%s %s='%s'", info, o->keyword, o->val);
	PQconninfoFree(given);
	return mem_printf(unit_mem, "%s %s", info, extra);
}

/* An empty database of this name, made on the first call; what earlier tests left in it goes. */
static inline PGconn *pg_database(const char *name)
{
	PGconn *conn = pg_open(unit_mem, pg_url());
	const char *there =
		mem_printf(unit_mem, "SELECT count(*) FROM pg_database WHERE datname = '%s'", name);

	if (!pg_number(conn, there))
		pg_run(conn,
			mem_printf(unit_mem,
				"CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8'", name));
	conn = pg_open(unit_mem, pg_info(name, ""));
	pg_run(conn,
		"SET client_min_messages = error; DROP SCHEMA IF EXISTS unit CASCADE; CREATE "
		"SCHEMA unit;"
		"SET search_path = unit");
	return conn;
}

/* One statement as the program would have it. */
#define QUERY(n, text, count) \
	{ \
		.name = (n), .sql = (text), .nparams = (count) \
	}

static inline struct db_stmt stmt_of(const struct query *query, const char *const *values)
{
	return (struct db_stmt){ .query = query, .values = values };
}

#endif
