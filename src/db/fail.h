#ifndef STINT_DB_FAIL_H
#define STINT_DB_FAIL_H
/* What PostgreSQL's refusal means to us: for the files of this folder alone. */
#include <libpq-fe.h>

#include "db/db.h"

enum fail_kind {
	FAIL_FINAL,  /* tell the caller */
	FAIL_AGAIN,  /* 40P01, 40001: the same may succeed now */
	FAIL_STALE,  /* what was prepared no longer fits: prepare anew, run again */
	FAIL_TWIN,   /* the id is there already: a twin of this request may just have made it */
	FAIL_HANGUP, /* the server ends this connection, and nothing was committed */
};

/* Fills err, field and extra (below mem). Does not log. */
enum fail_kind fail_read(void *mem, const PGresult *res, struct db_fail *fail);
/* For an operator: SQLSTATE, query and constraint; values never, so the message only where it
 * cannot hold any. */
void fail_log(const PGresult *res, enum fail_kind kind, const char *query_name);

#endif
