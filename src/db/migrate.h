#ifndef STINT_DB_MIGRATE_H
#define STINT_DB_MIGRATE_H
/*
 * Migrations: sql/migrations/NNNN-name.sql, forward only, each in one transaction with lock_timeout, under an
 * advisory lock, recorded with SHA-256 in app.migrations; a landed file that changed is an error. Then functions/ and policies, which are
 * CREATE OR REPLACE files, applied when their hash changed. All embedded at build. 0001 needs a superuser or CREATEROLE once (roles).
 */
#include <stdbool.h>
enum migrate_mode { MIGRATE_RUN, MIGRATE_DRY_RUN, MIGRATE_STATUS };
/* Prints to stdout what it does; 0 when all is well, 1 when something failed, 3 for status with pending ones. */
int migrate(const char *conninfo, enum migrate_mode mode);
/* Runs the text of one SQL file (demo data) in one transaction. */
int sql_file_run(const char *conninfo, const char *path);
#endif
