/*
 * Migrations, on files of this test's own: it defines what the build would embed. What is at stake
 * is an operator's database, so the failures matter more than the success.
 */
#include "unit_pg.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "db/embed.h"
#include "db/migrate.h"

enum { FILES = 6 };
static struct sql_file files[FILES];
const struct sql_file *const embedded_files = files;
const int embedded_file_count = FILES;

static PGconn *admin;
static const char *said; /* stdout and stderr of the last call */

static void file_set(int i, const char *name, enum sql_kind kind, const char *text)
{
	files[i] = (struct sql_file){ .name = name, .kind = kind, .text = text };
}

static void begin(void)
{
	admin = pg_database("unit_migrate");
	pg_run(admin, "DROP SCHEMA IF EXISTS app CASCADE; DROP SCHEMA IF EXISTS data CASCADE");
	file_set(0, "demo.sql", SQL_DATA, "INSERT INTO data.tags VALUES (42);");
	file_set(1, "functions/10-one.sql", SQL_FUNCTIONS,
		"CREATE OR REPLACE VIEW data.seen AS SELECT 1 AS n FROM data.tags;");
	file_set(2, "functions/20-two.sql", SQL_FUNCTIONS,
		"CREATE OR REPLACE VIEW data.twice AS SELECT n * 2 AS n FROM data.seen;");
	file_set(3, "migrations/0001-first.sql", SQL_MIGRATION,
		"CREATE SCHEMA data;\nCREATE TABLE data.tags (id integer);\n");
	file_set(4, "migrations/0002-second.sql", SQL_MIGRATION,
		"ALTER TABLE data.tags ADD name text;");
	file_set(5, "policies.sql", SQL_POLICIES, "GRANT SELECT ON data.twice TO PUBLIC;");
}

/* What a call prints, through a file in the place of both streams. */
static int listen_to(int (*call)(void))
{
	FILE *heard = tmpfile();
	int out = dup(1), err = dup(2), code;
	size_t n;
	char *text = mem_array(unit_mem, char, 65536);

	fflush(stdout);
	dup2(fileno(heard), 1);
	dup2(fileno(heard), 2);
	code = call();
	fflush(stdout);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	rewind(heard);
	n = fread(text, 1, 65535, heard);
	text[n] = '\0';
	fclose(heard);
	said = text;
	return code;
}

static int do_run(void)
{
	return migrate(pg_info("unit_migrate", ""), MIGRATE_RUN);
}

static int do_dry_run(void)
{
	return migrate(pg_info("unit_migrate", ""), MIGRATE_DRY_RUN);
}

static int do_status(void)
{
	return migrate(pg_info("unit_migrate", ""), MIGRATE_STATUS);
}

static int do_demo(void)
{
	return sql_file_run(pg_info("unit_migrate", ""), "demo.sql");
}

static void expect(int (*call)(void), int code, const char *words)
{
	int got = listen_to(call);

	ck_assert_msg(got == code, "%d, not %d, and said: %s", got, code, said);
	ck_assert_msg(strstr(said, words) != NULL, "no \"%s\" in: %s", words, said);
}

static long recorded(void)
{
	return pg_number(admin, "SELECT count(*) FROM app.migrations");
}

START_TEST(empty_database_is_brought_up)
{
	begin();
	expect(do_status, 3, "5 of 5 pending");
	expect(do_run, 0, "applying migrations/0001-first.sql ... done");
	ck_assert_ptr_nonnull(strstr(said, "applying functions and policies (3 files) ... done"));
	ck_assert_int_eq(recorded(), 5);
	ck_assert_int_eq(
		pg_number(admin, "SELECT version FROM app.migrations WHERE name LIKE '%second%'"),
		2);
	expect(do_status, 0, "0 of 5 pending");
	expect(do_run, 0, "nothing to do");
	pg_run(admin, "SELECT id, name FROM data.tags");
	pg_run(admin, "SELECT n FROM data.twice");
}
END_TEST

START_TEST(dry_run_tries_all_and_leaves_nothing)
{
	begin();
	expect(do_dry_run, 0, "everything was taken back");
	ck_assert_int_eq(
		pg_number(admin,
			"SELECT count(*) FROM pg_namespace WHERE nspname IN ('app', 'data')"),
		0);
	files[4].text = "ALTER TABLE data.nowhere ADD name text;";
	expect(do_dry_run, 1, "data.nowhere");
	ck_assert_int_eq(
		pg_number(admin,
			"SELECT count(*) FROM pg_namespace WHERE nspname IN ('app', 'data')"),
		0);
}
END_TEST

START_TEST(failure_names_its_line_and_keeps_what_stood)
{
	begin();
	files[4].text = "ALTER TABLE data.tags ADD name text;\n-- é\nINSERT INTO data.tags VALUES "
			"(1);\nSELECT nonsense;\n";
	expect(do_run, 1,
		"sql/migrations/0002-second.sql:4: column \"nonsense\" does not exist (SQLSTATE "
		"42703)");
	ck_assert_int_eq(recorded(), 1);
	ck_assert_int_eq(pg_number(admin, "SELECT count(*) FROM data.tags"), 0);
	ck_assert_int_eq(pg_number(admin,
				 "SELECT count(*) FROM information_schema.columns WHERE table_name "
				 "= 'tags'"),
		1);
	files[4].text = "ALTER TABLE data.tags ADD name text;";
	expect(do_run, 0, "0002-second.sql ... done");
	ck_assert_ptr_null(strstr(said, "0001-first"));
}
END_TEST

START_TEST(history_may_not_change)
{
	begin();
	expect(do_run, 0, "done");
	files[3].text = "CREATE SCHEMA data; -- better\n";
	expect(do_run, 1, "migrations/0001-first.sql has changed since it was applied");
	expect(do_status, 1, "into a new migration");
	begin();
	expect(do_run, 0, "done");
	files[4].kind = SQL_DATA; /* an older program: it has no 0002 */
	files[1].text = "CREATE OR REPLACE VIEW data.seen AS SELECT 0 AS n;";
	expect(do_run, 1, "0002-second.sql, which this program does not know");
	ck_assert_int_eq(pg_number(admin,
				 "SELECT count(*) FROM pg_views WHERE viewname = 'seen' AND "
				 "definition LIKE '%0 AS n%'"),
		0);
}
END_TEST

START_TEST(nothing_slips_in_below)
{
	begin();
	file_set(4, "migrations/0003-third.sql", SQL_MIGRATION, files[3].text);
	file_set(3, "migrations/0002-second.sql", SQL_DATA, "SELECT 1;"); /* nobody wrote it yet */
	expect(do_run, 0, "done");
	files[3].kind = SQL_MIGRATION;
	expect(do_run, 1, "0002-second.sql comes before migrations/0003-third.sql, which is");
}
END_TEST

START_TEST(changed_function_brings_the_whole_layer)
{
	begin();
	expect(do_run, 0, "done");
	pg_run(admin, "DROP VIEW data.twice");
	files[1].text = "CREATE OR REPLACE VIEW data.seen AS SELECT 21 AS n;";
	expect(do_status, 3, "changed");
	expect(do_run, 0, "functions and policies (3 files) ... done");
	ck_assert_ptr_null(strstr(said, "0001"));
	ck_assert_int_eq(pg_number(admin, "SELECT n FROM data.twice"), 42);
	expect(do_run, 0, "nothing to do");
	files[2].text = "CREATE OR REPLACE VIEW data.twice AS SELECT n * 3 AS n FROM data.seen; "
			"SELECT 1/0;";
	expect(do_run, 1, "division by zero");
	ck_assert_int_eq(pg_number(admin, "SELECT n FROM data.twice"), 42);
}
END_TEST

START_TEST(file_may_not_end_its_transaction)
{
	begin();
	files[4].text = "SELECT 1; COMMIT;";
	expect(do_run, 1, "must hold neither BEGIN nor COMMIT");
}
END_TEST

START_TEST(hidden_rows_are_an_error)
{
	begin();
	files[4].text =
		"ALTER TABLE data.tags ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
		"GRANT USAGE ON SCHEMA data TO unit_plain; GRANT ALL ON data.tags TO unit_plain;"
		"SET LOCAL ROLE unit_plain; UPDATE data.tags SET id = 1;";
	pg_run(admin,
		"DO $$ BEGIN CREATE ROLE unit_plain; EXCEPTION WHEN duplicate_object THEN END $$");
	expect(do_run, 1, "row-level security");
	pg_run(admin, "DROP SCHEMA IF EXISTS data CASCADE; DROP ROLE unit_plain");
}
END_TEST

START_TEST(two_at_once_apply_once)
{
	pid_t twin;
	int status;

	begin();
	files[4].text = "SELECT pg_sleep(0.3); ALTER TABLE data.tags ADD name text;";
	twin = fork();
	if (twin == 0)
		_exit(listen_to(do_run));
	expect(do_run, 0, "");
	ck_assert_int_eq(waitpid(twin, &status, 0), twin);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(recorded(), 5);
}
END_TEST

START_TEST(busy_table_is_tried_again)
{
	pid_t holder;
	int ready[2];
	char byte;

	begin();
	files[4].kind = SQL_DATA;
	expect(do_run, 0, "done");
	files[4].kind = SQL_MIGRATION;
	files[4].text = "SET LOCAL lock_timeout = '50ms'; ALTER TABLE data.tags ADD name text;";
	ck_assert_int_eq(pipe(ready), 0);
	holder = fork();
	if (holder == 0) {
		PGconn *conn = PQconnectdb(pg_info("unit_migrate", ""));

		PQclear(PQexec(conn, "BEGIN; SELECT * FROM data.tags"));
		if (write(ready[1], "x", 1) == 1)
			usleep(600000);
		PQfinish(conn);
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	expect(do_run, 0, "something else holds a lock; once more");
	waitpid(holder, NULL, 0);
	expect(do_run, 0, "nothing to do");
}
END_TEST

START_TEST(data_file_is_all_or_nothing)
{
	begin();
	expect(do_run, 0, "done");
	expect(do_demo, 0, "");
	ck_assert_int_eq(pg_number(admin, "SELECT count(*) FROM data.tags"), 1);
	files[0].text = "INSERT INTO data.tags VALUES (43);\n\nSELECT nonsense;";
	expect(do_demo, 1, "demo.sql:3: column");
	ck_assert_int_eq(pg_number(admin, "SELECT count(*) FROM data.tags"), 1);
	files[0].name = "elsewhere.sql";
	expect(do_demo, 1, "demo.sql: No such file");
}
END_TEST

static int do_nowhere(void)
{
	return migrate("host=/nonexistent dbname=x", MIGRATE_RUN);
}

START_TEST(no_database_says_what_to_do)
{
	begin();
	expect(do_nowhere, 1, "stint migrate");
	ck_assert_ptr_nonnull(strstr(said, "/nonexistent"));
}
END_TEST

UNIT_MAIN("db_migrate", empty_database_is_brought_up, dry_run_tries_all_and_leaves_nothing,
	failure_names_its_line_and_keeps_what_stood, history_may_not_change, nothing_slips_in_below,
	changed_function_brings_the_whole_layer, file_may_not_end_its_transaction,
	hidden_rows_are_an_error, two_at_once_apply_once, busy_table_is_tried_again,
	data_file_is_all_or_nothing, no_database_says_what_to_do)
