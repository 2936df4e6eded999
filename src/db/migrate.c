/*
 * The schema, brought to where this program needs it.
 *
 * Forward only. What has landed is history: its text is kept as a hash and may not change any more,
 * nor may a new file slip in below it. A program older than the database refuses to touch it, or it
 * would put its old functions over the new ones.
 *
 * Functions, views and policies are one layer over the tables, replaced as a whole in one
 * transaction: so a request sees all of the old or all of the new, a view that a migration dropped
 * comes back, and grants follow what they are granted on.
 *
 * Hashes are made by PostgreSQL (sha256), so that this folder needs no cryptography of its own.
 */
#include "db/migrate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "db/embed.h"
#include "db/script.h"

enum {
	LOCK_TRIES = 120, /* of half a second */
	BUSY_TRIES = 5,
};

enum state { STATE_APPLIED,
	STATE_PENDING,
	STATE_CHANGED };

struct step {
	const struct sql_file *file;
	const char *hash;
	const char *applied_at; /* NULL: never */
	enum state state;
};

struct migration {
	void *mem;
	struct script *script;
	enum migrate_mode mode;
	struct step *steps; /* by name: functions, migrations, policies; each kind in its order */
	int nsteps;
};

/* "st" "migr": any number nobody else takes. */
#define ADVISORY_LOCK "7382098743410"

static const char RECORD_TABLE[] =
	"CREATE SCHEMA IF NOT EXISTS app;\n"
	"CREATE TABLE IF NOT EXISTS app.migrations (\n"
	"	kind text NOT NULL CHECK (kind IN ('migration', 'functions', 'policies')),\n"
	"	name text NOT NULL,\n"
	"	version integer,\n"
	"	sha256 text NOT NULL,\n"
	"	applied_at timestamptz NOT NULL DEFAULT now(),\n"
	"	PRIMARY KEY (kind, name)\n"
	");\n"
	"COMMENT ON TABLE app.migrations IS 'What stint migrate has applied';\n";

/* The first run makes the table before there are roles; later ones come as stint_migrate, which
 * may act as stint_owner. */
static const char RECORD_OWNER[] =
	"DO $$ BEGIN\n"
	"	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'stint_owner')\n"
	"		AND (SELECT tableowner <> 'stint_owner' FROM pg_tables\n"
	"			WHERE schemaname = 'app' AND tablename = 'migrations') THEN\n"
	"		ALTER TABLE app.migrations OWNER TO stint_owner;\n"
	"	END IF;\n"
	"END $$";

static const char RECORD_MIGRATION[] =
	"INSERT INTO app.migrations (kind, name, sha256, version) VALUES ($1, $2, $3, $4::integer)";

static const char RECORD_LAYER[] =
	"INSERT INTO app.migrations (kind, name, sha256) VALUES ($1, $2, $3) "
	"ON CONFLICT (kind, name) DO UPDATE SET sha256 = excluded.sha256, applied_at = now()";

static const char *const kind_names[] = {
	[SQL_MIGRATION] = "migration",
	[SQL_FUNCTIONS] = "functions",
	[SQL_POLICIES] = "policies",
};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Progress is for somebody who waits. */
static void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	fflush(stdout);
}

static void nap_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static void explain_first_run(void)
{
	fputs("If this is the first run: it creates the roles of Stint and needs a superuser.\n"
	      "Give it one, once:\n"
	      "  STINT_MIGRATE_URL='dbname=stint user=postgres' stint migrate\n"
	      "Later runs do with user=stint_migrate.\n",
		stderr);
}

/* One at a time, however many hosts are being brought up. */
static bool lock_take(struct migration *m)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		const PGresult *res = script_query(
			m->script, m->mem, "SELECT pg_try_advisory_lock(" ADVISORY_LOCK ")", NULL);

		if (!res)
			return false;
		if (str_eq(PQgetvalue(res, 0, 0), "t"))
			return true;
		if (i == 0)
			say("another migration is running; waiting for it\n");
		nap_ms(500);
	}
	fputs("Another migration has been running for a minute. "
	      "See pg_stat_activity, then try again.\n",
		stderr);
	return false;
}

static const char *hash_of(struct migration *m, const char *text)
{
	const char *const params[4] = { text };
	const PGresult *res = script_query(m->script, m->mem,
		"SELECT encode(sha256(convert_to($1::text, 'UTF8')), 'hex')", params);

	return res ? PQgetvalue(res, 0, 0) : NULL;
}

/* What the program carries, in the order it is applied. */
static bool steps_load(struct migration *m)
{
	m->steps = mem_array(m->mem, struct step, (size_t)embedded_file_count + 1);
	for (int kind = SQL_MIGRATION; kind <= SQL_POLICIES; kind++) {
		for (int i = 0; i < embedded_file_count; i++) {
			const struct sql_file *file = &embedded_files[i];
			const char *hash;

			if ((int)file->kind != kind)
				continue;
			hash = hash_of(m, file->text);
			if (!hash)
				return false;
			m->steps[m->nsteps++] =
				(struct step){ .file = file, .hash = hash, .state = STATE_PENDING };
		}
	}
	return true;
}

static struct step *step_find(struct migration *m, const char *name)
{
	for (int i = 0; i < m->nsteps; i++)
		if (str_eq(m->steps[i].file->name, name))
			return &m->steps[i];
	return NULL;
}

static bool is_recorded(struct migration *m, bool *there)
{
	const PGresult *res = script_query(
		m->script, m->mem, "SELECT to_regclass('app.migrations') IS NOT NULL", NULL);

	if (res)
		*there = str_eq(PQgetvalue(res, 0, 0), "t");
	return res != NULL;
}

/* Compares one recorded file with ours. False when history does not fit. */
static bool row_compare(struct migration *m, const char *kind, const char *name, const char *hash,
	const char *applied_at)
{
	bool is_migration = str_eq(kind, "migration");
	struct step *step = step_find(m, name);

	if (!step && is_migration) {
		fprintf(stderr,
			"The database has %s, which this program does not know:\n"
			"it is older than the database. Use the newer one.\n",
			name);
		return false;
	}
	if (!step)
		return true;
	step->applied_at = applied_at;
	step->state = str_eq(step->hash, hash) ? STATE_APPLIED : STATE_CHANGED;
	if (!is_migration || step->state == STATE_APPLIED)
		return true;
	fprintf(stderr,
		"%s has changed since it was applied on %s.\n"
		"What has landed stays: take the change back and put it into a new migration.\n",
		name, applied_at);
	return false;
}

/* Compares with what the database has; stderr says why it cannot be. */
static bool steps_compare(struct migration *m)
{
	const PGresult *res = script_query(m->script, m->mem,
		"SELECT kind, name, sha256, to_char(applied_at, 'YYYY-MM-DD HH24:MI:SS') "
		"FROM app.migrations ORDER BY kind, name",
		NULL);

	for (int i = 0; res && i < PQntuples(res); i++)
		if (!row_compare(m, PQgetvalue(res, i, 0), PQgetvalue(res, i, 1),
			    PQgetvalue(res, i, 2), PQgetvalue(res, i, 3)))
			return false;
	return res != NULL;
}

/* A number below one that is applied would be run after it here and before it elsewhere. */
static bool order_is_right(const struct migration *m)
{
	const struct step *skipped = NULL;

	for (int i = 0; i < m->nsteps; i++) {
		const struct step *step = &m->steps[i];

		if (step->file->kind != SQL_MIGRATION)
			continue;
		if (step->state == STATE_PENDING && !skipped)
			skipped = step;
		if (step->state == STATE_APPLIED && skipped) {
			fprintf(stderr,
				"%s comes before %s, which is applied already.\n"
				"Give it a higher number.\n",
				skipped->file->name, step->file->name);
			return false;
		}
	}
	return true;
}

static bool steps_plan(struct migration *m)
{
	bool there;

	if (!steps_load(m) || !is_recorded(m, &there))
		return false;
	return !there || (steps_compare(m) && order_is_right(m));
}

static bool quick(struct migration *m, const char *sql)
{
	return script_run(m->script, "stint migrate", sql);
}

static bool record(struct migration *m, const struct step *step)
{
	bool once = step->file->kind == SQL_MIGRATION;
	const char *number = strrchr(step->file->name, '/');
	const char *const params[4] = {
		kind_names[step->file->kind],
		step->file->name,
		step->hash,
		once ? mem_strndup(m->mem, number + 1, 4) : NULL,
	};

	return script_query(
		       m->script, m->mem, once ? RECORD_MIGRATION : RECORD_LAYER, params) != NULL;
}

/* Runs the files of steps first…last-1 and notes them. Deferred constraints are judged here, by
 * file, and not at the end. */
static bool steps_run(struct migration *m, int first, int last)
{
	for (int i = first; i < last; i++) {
		const char *shown = mem_printf(m->mem, "sql/%s", m->steps[i].file->name);

		if (!script_run(m->script, shown, m->steps[i].file->text))
			return false;
		if (PQtransactionStatus(m->script->conn) != PQTRANS_INTRANS) {
			fprintf(stderr,
				"%s ends its transaction itself.\n"
				"Files must hold neither BEGIN nor COMMIT.\n",
				shown);
			return false;
		}
		if (!quick(m, "RESET ROLE; SET CONSTRAINTS ALL IMMEDIATE") ||
			!quick(m, RECORD_OWNER) || !record(m, &m->steps[i]))
			return false;
	}
	return true;
}

/* In a dry run there is one transaction around everything. Migrations run with row_security off:
 * a backfill as stint_owner, from whom forced row level security hides every row, is an error
 * then, and not "UPDATE 0" (nor a foreign key checked against nothing). Functions touch no rows,
 * but with it off their bodies would be refused when they are created. */
static bool transaction_begin(struct migration *m, int first)
{
	bool rows = m->steps[first].file->kind == SQL_MIGRATION;

	return (m->mode == MIGRATE_DRY_RUN || quick(m, "BEGIN")) &&
		quick(m, "SET LOCAL lock_timeout = '5s'") &&
		quick(m, rows ? "SET LOCAL row_security = off" : "SET LOCAL row_security = on");
}

static bool transaction_end(struct migration *m)
{
	return m->mode == MIGRATE_DRY_RUN || quick(m, "COMMIT");
}

/* One transaction. A lock that is not to be had within its time-out means that something long is
 * running: tried again. */
static bool part_apply(struct migration *m, const char *title, int first, int last)
{
	int64_t started_us = clock_monotonic_us();

	for (int tries = 1;; tries++) {
		say("%s %s ... ", m->mode == MIGRATE_DRY_RUN ? "trying" : "applying", title);
		if (transaction_begin(m, first) && steps_run(m, first, last) &&
			transaction_end(m)) {
			for (int i = first; i < last; i++)
				m->steps[i].state = STATE_APPLIED;
			say("done (%lld ms)\n",
				(long long)((clock_monotonic_us() - started_us) / 1000));
			return true;
		}
		say("failed\n");
		if (m->mode == MIGRATE_DRY_RUN || tries == BUSY_TRIES)
			return false;
		if (!script_refused(m->script, "55P03") && !script_refused(m->script, "40P01"))
			return false;
		if (!quick(m, "ROLLBACK"))
			return false;
		say("something else holds a lock; once more in %d s\n", tries);
		nap_ms(tries * 1000L);
	}
}

static bool is_pending(const struct step *step)
{
	return step->state != STATE_APPLIED;
}

/* How many there are to do, of the migrations or of the layer over them. */
static int count_pending(const struct migration *m, bool migrations)
{
	int n = 0;

	for (int i = 0; i < m->nsteps; i++)
		n += is_pending(&m->steps[i]) &&
			(m->steps[i].file->kind == SQL_MIGRATION) == migrations;
	return n;
}

static bool migrations_apply(struct migration *m, int end)
{
	for (int i = 0; i < end; i++)
		if (is_pending(&m->steps[i]) && !part_apply(m, m->steps[i].file->name, i, i + 1))
			return false;
	return true;
}

static bool all_apply(struct migration *m)
{
	int end = 0;

	while (end < m->nsteps && m->steps[end].file->kind == SQL_MIGRATION)
		end++;
	if (!count_pending(m, true) && !count_pending(m, false)) {
		say("nothing to do: the database is up to date\n");
		return true;
	}
	if (!migrations_apply(m, end))
		return false;
	if (end == m->nsteps)
		return true;
	return part_apply(m,
		mem_printf(m->mem, "functions and policies (%d files)", m->nsteps - end), end,
		m->nsteps);
}

static int run(struct migration *m)
{
	bool there, ok;

	if (!lock_take(m) || !steps_plan(m) || !is_recorded(m, &there))
		return 1;
	ok = (m->mode != MIGRATE_DRY_RUN || quick(m, "BEGIN")) &&
		(there || quick(m, RECORD_TABLE)) && all_apply(m);
	if (!ok && m->nsteps && is_pending(&m->steps[0]) && script_refused(m->script, "42501"))
		explain_first_run();
	if (m->mode == MIGRATE_DRY_RUN && quick(m, "ROLLBACK"))
		say("dry run: everything was taken back\n");
	if (m->mode == MIGRATE_DRY_RUN && !ok)
		say("(what needs an earlier migration to be committed, such as a new enum value,\n"
		    "fails in dry runs alone)\n");
	return ok ? 0 : 1;
}

static int status(struct migration *m)
{
	static const char *const words[] = { "applied", "pending", "changed" };
	int pending;

	if (!steps_plan(m))
		return 1;
	for (int i = 0; i < m->nsteps; i++) {
		const struct step *step = &m->steps[i];

		if (step->applied_at)
			say("%s  %s  %s\n", words[step->state], step->applied_at, step->file->name);
		else
			say("%s  %-19s  %s\n", words[step->state], "", step->file->name);
	}
	pending = count_pending(m, true) + count_pending(m, false);
	say("%d of %d pending\n", pending, m->nsteps);
	return pending ? 3 : 0;
}

int migrate(const char *conninfo, enum migrate_mode mode)
{
	struct migration m = { .mem = talloc_named_const(NULL, 0, "migrate"), .mode = mode };
	int code = 1;

	m.script = script_open(m.mem, conninfo);
	if (m.script)
		code = mode == MIGRATE_STATUS ? status(&m) : run(&m);
	else if (mode != MIGRATE_STATUS)
		explain_first_run();
	mem_free(m.mem);
	return code;
}
