#ifndef STINT_DB_SCRIPT_H
#define STINT_DB_SCRIPT_H
/* A plain connection for an operator's SQL files; for the files of this folder alone. */
#include <libpq-fe.h>
#include <stdbool.h>

struct script {
	PGconn *conn;
	char sqlstate[6]; /* of the last failure, "" when the server said none */
};

/* Connects, checks encoding and version; closed with mem. NULL: stderr says why. */
struct script *script_open(void *mem, const char *conninfo);

/* Runs text, which may hold many statements; false: stderr says "sql/<name>:<line>: …". */
bool script_run(struct script *s, const char *name, const char *text);

/* One statement with up to 4 text parameters, its rows below mem; NULL: stderr says why. */
const PGresult *script_query(
	struct script *s, void *mem, const char *sql, const char *const params[4]);

/* True when the server refused for this reason just now. */
bool script_refused(const struct script *s, const char *sqlstate);

#endif
