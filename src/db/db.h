#ifndef STINT_DB_DB_H
#define STINT_DB_DB_H
/*
 * The only door to PostgreSQL. Statements are named queries embedded at build
 * (sql/queries/<noun>.sql, -- name: tags_list, parameters :by_name). db_run sends them all with one
 * Sync: one round trip, one implicit transaction; when one fails PostgreSQL skips the rest. 40P01
 * and 40001 are run again (at most 3 times), a create whose id is there already once; a lost connection is mended with jittered back-off and
 * the run begun again when it only reads, or when it is sure that nothing of it was committed.
 * Statements are prepared once per connection.
 *
 * Errors: SQLSTATE ST001 is app.refuse(code, field, extra): MESSAGE is the code of errors.def,
 * DETAIL the field, HINT a JSON object shown to the client. 23505, 23503, 23514, 23P01 go by
 * constraint name through errors.def. Values PostgreSQL cannot read (22P02, 22007, 22008, 22003)
 * are ERR_MALFORMED. No connection, a time-out, a full disk: ERR_UNAVAILABLE. All else is
 * ERR_INTERNAL and logged with SQLSTATE and query name, never with values.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

/* One embedded query. params: names in the order of $1… A query without a name is never prepared:
 * for text that is used once. */
struct query {
	const char *name, *sql;
	const char *const *params;
	int nparams;
	bool worker; /* asked by stint_worker, not by stint_web */
};
const struct query *query_find(const char *name); /* NULL when there is none */
const struct query *query_all(int *count);

struct db;
struct db_result; /* rows of one statement; belongs to the mem given to db_run */

struct db_stmt {
	const struct query *query;
	const char *const *values; /* query->nparams texts, NULL is SQL NULL */
};

struct db_fail {
	enum err err;
	const char *field; /* or NULL; static or below mem */
	const char *extra; /* JSON object text for the client, or NULL; below mem */
	int stmt;          /* which statement failed, 0…; the number of them: the commit did */
};

/* Connects at first use, so a master may make it and its children each have their own. */
struct db *db_new(void *mem, const char *conninfo, const char *application_name);
bool db_ping(struct db *db);

/* Runs n statements (at most 16) as one implicit transaction. results[i] for each, NULL when the
 * run failed. reads: safe to run again after a lost connection. fail may be NULL. */
enum err db_run(struct db *db, void *mem, const struct db_stmt *stmts, int n, bool reads,
	struct db_result **results, struct db_fail *fail);

/* In two trips, still one implicit transaction: the first n statements are flushed and read,
 * then `second` decides (with their results) what else belongs to it: it returns a statement to
 * run before Sync, or query NULL for none; what that gives is not kept. It is called again when
 * all is run again (after a deadlock, say), so it must do nothing but look. For Idempotency-Key
 * and the like. */
typedef struct db_stmt (*db_second_fn)(void *arg, void *mem, struct db_result **results);
enum err db_run_then(struct db *db, void *mem, const struct db_stmt *stmts, int n,
	db_second_fn second, void *arg, struct db_result **results, struct db_fail *fail);

/* Notices (NOTIFY): listening survives a lost connection. channel is a plain name. */
bool db_listen(struct db *db, const char *channel);
/* Waits until a notice came, at most wait_ms; true when one did. A signal ends the wait too. Without a connection it only waits. */
bool db_wait(struct db *db, int wait_ms);
/* Counts the connections that were made: who needs something of a connection (a lock) looks whether it is still the same. */
int64_t db_generation(const struct db *db);
/* A statement by names: given holds name, value, name, value …, NULL. Values are borrowed. */
struct db_stmt db_bind(void *mem, const char *query, const char *const *given);

int db_rows(const struct db_result *r);
/* Text of a column by name, borrowed; NULL for SQL NULL or no such column or row. */
const char *db_text(const struct db_result *r, int row, const char *column);

#endif
