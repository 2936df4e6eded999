/*
 * What a run promises about transactions: all or nothing, the guard in front, errors told by their
 * own names, and a clean connection after each, on a real server.
 */
#include "unit_pg.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

static PGconn *admin;
static struct db *db;

static void begin(void)
{
	admin = pg_database("unit_run");
	pg_run(admin,
		"CREATE TABLE things (id integer CONSTRAINT tags_pkey PRIMARY KEY, name text,"
		" CONSTRAINT tags_name_length CHECK (char_length(name) < 10),"
		" parent integer CONSTRAINT projects_client REFERENCES things DEFERRABLE INITIALLY "
		"DEFERRED,"
		" odd integer CONSTRAINT nobody_knows_this CHECK (odd % 2 = 1));"
		"CREATE FUNCTION refuse(code text, field text, extra text) RETURNS text LANGUAGE "
		"plpgsql AS $$"
		" BEGIN RAISE EXCEPTION USING ERRCODE = 'ST001', MESSAGE = code, DETAIL = field, "
		"HINT = extra; END $$;"
		"CREATE SEQUENCE tries; CREATE SEQUENCE once");
	db = db_new(unit_mem,
		pg_info("unit_run", "options='-c search_path=unit -c deadlock_timeout=50ms'"),
		"unit");
}

static const struct query insert_query =
	QUERY("insert_thing", "INSERT INTO things (id, name) VALUES ($1::integer, $2)", 2);
static const struct query pid_query =
	QUERY("pid", "SELECT pg_backend_pid() AS pid, current_setting('app.org', true) AS org", 0);
static const struct query refuse_query = QUERY("refuse_it", "SELECT refuse($1, $2, $3)", 3);

static struct db_stmt insert_of(const char *id, const char *name)
{
	const char **values = mem_array(unit_mem, const char *, 2);

	values[0] = id;
	values[1] = name;
	return stmt_of(&insert_query, values);
}

static const char *backend_pid(void)
{
	struct db_result *r;
	struct db_stmt s = stmt_of(&pid_query, NULL);

	ck_assert_int_eq(db_run(db, unit_mem, &s, 1, true, &r, NULL), OK);
	ck_assert_int_eq(db_rows(r), 1);
	return db_text(r, 0, "pid");
}

static enum err run_one(struct db_stmt s, struct db_fail *fail)
{
	struct db_result *r;

	return db_run(db, unit_mem, &s, 1, false, &r, fail);
}

/* One-shot, for what a test says only once. */
static enum err run_text(const char *sql, struct db_fail *fail)
{
	const struct query once = QUERY(NULL, sql, 0);

	return run_one(stmt_of(&once, NULL), fail);
}

START_TEST(guard_in_front_keeps_the_rest_from_running)
{
	const char *const why[] = { "entry_overlap", "started_at", "{\"other\":\"7\"}" };
	struct db_stmt stmts[2];
	struct db_result *results[2];
	struct db_fail fail;
	const char *pid;

	begin();
	stmts[0] = stmt_of(&refuse_query, why);
	stmts[1] = insert_of("1", "a");
	pid = backend_pid();
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(
			db_run(db, unit_mem, stmts, 2, false, results, &fail), ERR_ENTRY_OVERLAP);
		ck_assert_int_eq(fail.err, ERR_ENTRY_OVERLAP);
		ck_assert_str_eq(fail.field, "started_at");
		ck_assert_str_eq(fail.extra, "{\"other\":\"7\"}");
		ck_assert_int_eq(fail.stmt, 0);
		ck_assert_ptr_null(results[0]);
		ck_assert_ptr_null(results[1]);
	}
	ck_assert_int_eq(pg_number(admin, "SELECT count(*) FROM things"), 0);
	ck_assert_int_eq(run_one(stmts[1], &fail), OK);
	ck_assert_int_eq(pg_number(admin, "SELECT count(*) FROM things"), 1);
	ck_assert_str_eq(backend_pid(), pid);
}
END_TEST

START_TEST(settings_of_a_run_end_with_it)
{
	static const struct query enter =
		QUERY("enter", "SELECT set_config('app.org', 'secret', true)", 0);
	struct db_stmt stmts[2];
	struct db_result *results[2], *after;

	begin();
	stmts[0] = stmt_of(&enter, NULL);
	stmts[1] = stmt_of(&pid_query, NULL);
	ck_assert_int_eq(db_run(db, unit_mem, stmts, 2, true, results, NULL), OK);
	ck_assert_str_eq(db_text(results[1], 0, "org"), "secret");
	ck_assert_int_eq(db_run(db, unit_mem, stmts + 1, 1, true, &after, NULL), OK);
	ck_assert(!db_text(after, 0, "org") || str_eq(db_text(after, 0, "org"), ""));
}
END_TEST

START_TEST(later_failure_takes_all_back)
{
	struct db_stmt stmts[3];
	struct db_result *results[3];
	struct db_fail fail;

	begin();
	stmts[0] = insert_of("1", "a");
	stmts[1] = insert_of("2", "b");
	stmts[2] = insert_of("2", "c");
	ck_assert_int_eq(db_run(db, unit_mem, stmts, 3, false, results, &fail), ERR_ID_TAKEN);
	ck_assert_int_eq(fail.stmt, 2);
	ck_assert_str_eq(fail.field, "id");
	ck_assert_int_eq(pg_number(admin, "SELECT count(*) FROM things"), 0);
}
END_TEST

START_TEST(constraints_go_by_name)
{
	struct db_fail fail;

	begin();
	ck_assert_int_eq(run_one(insert_of("1", "far too long a name"), &fail), ERR_TOO_LONG);
	ck_assert_str_eq(fail.field, "name");
	ck_assert_ptr_null(fail.extra);
	ck_assert_int_eq(
		run_text("INSERT INTO things (id, odd) VALUES (1, 2)", &fail), ERR_INTERNAL);
	ck_assert_ptr_null(fail.field);
}
END_TEST

START_TEST(deferred_constraint_fails_the_commit)
{
	struct db_fail fail;
	const char *pid;

	begin();
	pid = backend_pid();
	ck_assert_int_eq(
		run_text("INSERT INTO things (id, parent) VALUES (1, 99)", &fail), ERR_REFERENCE);
	ck_assert_str_eq(fail.field, "client_id");
	ck_assert_int_eq(fail.stmt, 1);
	ck_assert_str_eq(backend_pid(), pid);
	ck_assert_int_eq(pg_number(admin, "SELECT count(*) FROM things"), 0);
}
END_TEST

START_TEST(sqlstates_that_mean_something)
{
	const char *const why[] = { "no_such_code", "", "" };
	struct db_fail fail;

	begin();
	ck_assert_int_eq(run_one(insert_of("not a number", "a"), &fail), ERR_MALFORMED);
	ck_assert_int_eq(run_text("SELECT 'never'::timestamptz", &fail), ERR_MALFORMED);
	ck_assert_int_eq(run_text("SELECT nobody FROM nothing", &fail), ERR_INTERNAL);
	ck_assert_int_eq(run_text("SELECT 1/0", &fail), ERR_INTERNAL);
	ck_assert_int_eq(run_one(stmt_of(&refuse_query, why), &fail), ERR_INTERNAL);
	ck_assert_int_eq(run_text("SET statement_timeout = 20", &fail), OK);
	ck_assert_int_eq(run_text("SELECT pg_sleep(5)", &fail), ERR_UNAVAILABLE);
}
END_TEST

START_TEST(values_come_and_go_whole)
{
	static const struct query echo = QUERY("echo",
		"SELECT $1::text AS a, $2::text AS b, md5($3) AS c, $4::text AS d, length($3) AS n",
		4);
	const size_t size = 3 * 1000 * 1000;
	char *big = mem_array(unit_mem, char, size + 1);
	const char *const values[] = { "", NULL, big, "Zoë’s \\ 'x' :y \n ☕" };
	struct db_stmt s = stmt_of(&echo, values);
	struct db_result *r;

	begin();
	for (size_t i = 0; i < size; i++)
		big[i] = (char)('a' + i % 26);
	ck_assert_int_eq(db_run(db, unit_mem, &s, 1, true, &r, NULL), OK);
	ck_assert_str_eq(db_text(r, 0, "a"), "");
	ck_assert_ptr_null(db_text(r, 0, "b"));
	ck_assert_str_eq(db_text(r, 0, "n"), "3000000");
	ck_assert_str_eq(db_text(r, 0, "c"),
		pg_run(admin,
			"SELECT md5(string_agg(chr(97 + i % 26), '' ORDER BY i)) FROM "
			"generate_series(0, 2999999) i"));
	ck_assert_str_eq(db_text(r, 0, "d"), values[3]);
	ck_assert_ptr_null(db_text(r, 0, "no_such_column"));
	ck_assert_ptr_null(db_text(r, 1, "a"));
	ck_assert_ptr_null(db_text(r, -1, "a"));
	ck_assert_int_eq(db_rows(r), 1);
}
END_TEST

START_TEST(big_results_come_whole)
{
	static const struct query rows = QUERY(
		"rows", "SELECT i, repeat('x', 100) AS x FROM generate_series(1, 20000) i", 0);
	struct db_stmt s = stmt_of(&rows, NULL);
	struct db_result *r;

	begin();
	ck_assert_int_eq(db_run(db, unit_mem, &s, 1, true, &r, NULL), OK);
	ck_assert_int_eq(db_rows(r), 20000);
	ck_assert_str_eq(db_text(r, 19999, "i"), "20000");
}
END_TEST

START_TEST(session_is_what_documents_need)
{
	static const struct query show = QUERY(NULL,
		"SELECT current_setting('TimeZone') AS zone, current_setting('statement_timeout') "
		"AS patience,"
		" current_setting('client_encoding') AS encoding, "
		"current_setting('application_name') AS name",
		0);
	struct db_stmt s = stmt_of(&show, NULL);
	struct db_result *r;

	begin();
	ck_assert_int_eq(db_run(db, unit_mem, &s, 1, true, &r, NULL), OK);
	ck_assert_str_eq(db_text(r, 0, "zone"), "UTC");
	ck_assert_str_eq(db_text(r, 0, "patience"), "10s");
	ck_assert_str_eq(db_text(r, 0, "encoding"), "UTF8");
	ck_assert_str_eq(db_text(r, 0, "name"), "unit");
	ck_assert(db_ping(db));
}
END_TEST

START_TEST(an_open_transaction_is_not_handed_on)
{
	const char *pid;

	begin();
	pid = backend_pid();
	ck_assert_int_eq(run_text("BEGIN", NULL), ERR_UNAVAILABLE);
	ck_assert_str_ne(backend_pid(), pid);
}
END_TEST

/* The other side of a deadlock, in a process of its own: takes 2, waits until somebody is
 * blocked, then wants 1. */
static _Noreturn void deadlock_other(int ready)
{
	PGconn *conn = PQconnectdb(pg_info("unit_run", ""));

	PQclear(PQexec(conn,
		"SET deadlock_timeout = '20s'; SET search_path = unit; BEGIN; UPDATE things SET "
		"name = name || 'o' WHERE id = 2"));
	if (write(ready, "x", 1) != 1)
		_exit(1);
	for (int i = 0; i < 200; i++) {
		PGresult *res = PQexec(conn,
			"SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = "
			"ANY (pg_blocking_pids(pid))");
		bool blocked = strcmp(PQgetvalue(res, 0, 0), "0") != 0;

		PQclear(res);
		if (blocked)
			break;
		usleep(10000);
	}
	PQclear(PQexec(conn, "UPDATE things SET name = name || 'o' WHERE id = 1; COMMIT"));
	PQfinish(conn);
	_exit(0);
}

START_TEST(deadlock_is_run_again)
{
	static const struct query count = QUERY("count_try", "SELECT nextval('tries')", 0);
	static const struct query update = QUERY(
		"update_it", "UPDATE things SET name = name || 'm' WHERE id = $1::integer", 1);
	const char *const one[] = { "1" }, *const two[] = { "2" };
	struct db_stmt stmts[3];
	struct db_result *results[3];
	int ready[2], status;
	char byte;
	pid_t child;

	begin();
	pg_run(admin, "INSERT INTO things (id, name) VALUES (1, ''), (2, '')");
	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	if (child == 0)
		deadlock_other(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	stmts[0] = stmt_of(&count, NULL);
	stmts[1] = stmt_of(&update, one);
	stmts[2] = stmt_of(&update, two);
	ck_assert_int_eq(db_run(db, unit_mem, stmts, 3, false, results, NULL), OK);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_gt(pg_number(admin, "SELECT last_value FROM tries"), 1);
	ck_assert_str_eq(
		pg_run(admin, "SELECT string_agg(name, ',' ORDER BY id) FROM things"), "om,om");
}
END_TEST

START_TEST(endless_conflict_ends)
{
	begin();
	ck_assert_int_eq(run_text("DO $$ BEGIN PERFORM nextval('tries'); RAISE EXCEPTION USING "
				  "ERRCODE = '40001'; END $$",
				 NULL),
		ERR_UNAVAILABLE);
	ck_assert_int_eq(pg_number(admin, "SELECT last_value FROM tries"), 4);
}
END_TEST

UNIT_MAIN("db_run", guard_in_front_keeps_the_rest_from_running, settings_of_a_run_end_with_it,
	later_failure_takes_all_back, constraints_go_by_name, deferred_constraint_fails_the_commit,
	sqlstates_that_mean_something, values_come_and_go_whole, big_results_come_whole,
	session_is_what_documents_need, an_open_transaction_is_not_handed_on, deadlock_is_run_again,
	endless_conflict_ends)
