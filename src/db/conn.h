#ifndef STINT_DB_CONN_H
#define STINT_DB_CONN_H
/* The connection below db.h: for the files of this folder alone. */
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"

struct db {
	PGconn *conn; /* NULL while there is none; else in pipeline mode and idle between runs */
	const char *conninfo, *application_name;
	int64_t retry_at_us; /* monotonic; no connecting before */
	int failures;        /* in a row */
	const char *channel; /* listened to on every connection, or NULL */
	int64_t generation;  /* how many connections there were */
	/* The queries PostgreSQL holds prepared on this connection, by address; open addressing,
	 * nslots a power of two. */
	const struct query **slots;
	unsigned int nslots, nprepared;
};

/* True with a usable connection. Connects when there is none and it is time to try. */
bool pgconn_open(struct db *db);
/* Forgets the connection; the next pgconn_open tries at once. why is logged. */
void pgconn_drop(struct db *db, const char *why);
/* False when the server hung up while nobody looked: one look without waiting. */
bool pgconn_is_quiet(struct db *db);
/* The next result, as PQgetResult gives it; waits no longer than a statement may take. *lost
 * when the connection is gone. */
PGresult *pgconn_result(struct db *db, bool *lost);
/* Runs one statement that has no parameters and gives no rows, with its own Sync. */
bool pgconn_command(struct db *db, const char *sql);

bool pgconn_has(const struct db *db, const struct query *query);
void pgconn_add(struct db *db, const struct query *query);
/* As if nothing had been prepared, here and there. False when the connection is gone. */
bool pgconn_forget_prepared(struct db *db);

/* Doubling from 50 ms to 1 s over attempt 0…, a random half of it taken off. */
int64_t backoff_us(int64_t first_us, int64_t most_us, int attempt);

#endif
