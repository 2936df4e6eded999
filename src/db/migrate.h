#ifndef STINT_DB_MIGRATE_H
#define STINT_DB_MIGRATE_H
/*
 * Migrations: sql/migrations/NNNN-name.sql, forward only, each in one transaction with
 * lock_timeout, under an advisory lock, recorded with SHA-256 in app.migrations; a landed file that
 * changed is an error. Then functions/ and policies.sql, which say CREATE OR REPLACE: all of them
 * in one transaction whenever one of them changed or a migration was applied. All embedded at
 * build. The first run creates roles and needs a superuser; later ones run as stint_migrate.
 */
#include <stdbool.h>

/* A dry run really does everything, in one transaction, and takes it back. */
enum migrate_mode { MIGRATE_RUN,
	MIGRATE_DRY_RUN,
	MIGRATE_STATUS };

/* Prints to stdout what it does and to stderr what went wrong, with file and line. 0 when all is
 * well, 1 when something failed, 3 for a status with something pending. */
int migrate(const char *conninfo, enum migrate_mode mode);

/* Runs one SQL file in one transaction: an embedded one by its name ("demo.sql"), else one on
 * disk. 0 or 1. */
int sql_file_run(const char *conninfo, const char *path);

#endif
