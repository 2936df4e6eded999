#ifndef STINT_DB_EMBED_H
#define STINT_DB_EMBED_H
/* What tools/embed-queries.pl writes at build: the queries of sql/queries, and the files of a
 * migration as they are. */
#include "db/db.h"

enum sql_kind { SQL_MIGRATION,
	SQL_FUNCTIONS,
	SQL_POLICIES,
	SQL_DATA };

struct sql_file {
	const char *name; /* below sql/: "migrations/0001-foundation.sql" */
	const char *text;
	enum sql_kind kind;
};

extern const struct query *const embedded_queries; /* by name */
extern const int embedded_query_count;
extern const struct sql_file *const embedded_files; /* by name */
extern const int embedded_file_count;
#endif
