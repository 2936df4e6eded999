/*
 * Notices and what belongs to a connection: a notice ends a wait, also when it came in the middle of a run; listening outlives the
 * connection; a lost one counts as a new generation; parameters are bound by name.
 */
#include "unit_pg.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

static PGconn *admin;
static struct db *db;

static const struct query pid_query = QUERY("its_pid", "SELECT pg_backend_pid() AS pid", 0);
static const struct query notify_query = QUERY("notify_itself", "SELECT pg_notify('unit_listen', 'x')", 0);

static void begin(void)
{
	admin = pg_database("unit_listen");
	db = db_new(unit_mem, pg_info("unit_listen", ""), "unit_listen");
}

static const char *run(const struct query *query)
{
	struct db_stmt s = stmt_of(query, NULL);
	struct db_result *rows = NULL;

	ck_assert_int_eq(db_run(db, unit_mem, &s, 1, true, &rows, NULL), OK);
	return db_text(rows, 0, "pid");
}

static bool wait_for(int ms)
{
	int64_t until_us = clock_monotonic_us() + (int64_t)ms * 1000;

	do {
		if (db_wait(db, 50))
			return true;
	} while (clock_monotonic_us() < until_us);
	return false;
}

static void notify(void)
{
	pg_run(admin, "NOTIFY unit_listen");
}

START_TEST(a_notice_ends_a_wait_and_is_told_once)
{
	int64_t began_us;

	begin();
	ck_assert(db_listen(db, "unit_listen"));
	began_us = clock_monotonic_us();
	ck_assert(!db_wait(db, 200));
	ck_assert_int_ge(clock_monotonic_us() - began_us, 190000);
	notify();
	ck_assert(wait_for(20000));
	ck_assert(!db_wait(db, 100));
	for (int i = 0; i < 5; i++)
		notify();
	ck_assert(wait_for(20000));
}
END_TEST

START_TEST(a_notice_that_came_during_a_run_is_not_lost)
{
	begin();
	ck_assert(db_listen(db, "unit_listen"));
	run(&notify_query);
	ck_assert(wait_for(20000));
	notify();
	run(&pid_query);
	ck_assert(wait_for(20000));
}
END_TEST

START_TEST(another_channel_is_not_heard)
{
	begin();
	ck_assert(db_listen(db, "unit_listen"));
	pg_run(admin, "NOTIFY other_channel");
	ck_assert(!db_wait(db, 200));
}
END_TEST

START_TEST(listening_outlives_the_connection)
{
	int64_t first;

	begin();
	ck_assert(db_listen(db, "unit_listen"));
	first = db_generation(db);
	pg_run(admin, mem_printf(unit_mem, "SELECT pg_terminate_backend(%s, 10000)", run(&pid_query)));
	for (int i = 0; i < 200 && db_generation(db) == first; i++)
		ck_assert(!db_wait(db, 20));
	ck_assert_int_eq(db_generation(db), first + 1);
	notify();
	ck_assert(wait_for(20000));
}
END_TEST

START_TEST(a_generation_is_a_connection)
{
	begin();
	ck_assert_int_eq(db_generation(db), 0);
	run(&pid_query);
	ck_assert_int_eq(db_generation(db), 1);
	run(&pid_query);
	ck_assert_int_eq(db_generation(db), 1);
	pg_run(admin, mem_printf(unit_mem, "SELECT pg_terminate_backend(%s, 10000)", run(&pid_query)));
	run(&pid_query);
	ck_assert_int_eq(db_generation(db), 2);
}
END_TEST

START_TEST(a_wait_without_a_server_only_waits)
{
	int64_t began_us = clock_monotonic_us();

	db = db_new(unit_mem, "host=/nonexistent dbname=none", "unit_listen");
	ck_assert(!db_listen(db, "unit_listen"));
	ck_assert(!db_wait(db, 200));
	ck_assert_int_ge(clock_monotonic_us() - began_us, 190000);
}
END_TEST

START_TEST(parameters_are_bound_by_name)
{
	struct db_stmt s = db_bind(unit_mem, "jobs_settle", (const char *const[]){ "lease", "7", "nothing", "x", "outcome", "ok", NULL });
	int bound = 0;

	for (int i = 0; i < s.query->nparams; i++) {
		const char *want = str_eq(s.query->params[i], "lease") ? "7" : str_eq(s.query->params[i], "outcome") ? "ok" : NULL;

		ck_assert(str_eq(s.values[i], want));
		bound += want != NULL;
	}
	ck_assert_int_eq(bound, 2);
	s = db_bind(unit_mem, "jobs_hold", NULL);
	ck_assert_int_eq(s.query->nparams, 0);
}
END_TEST

UNIT_MAIN("db_listen", a_notice_ends_a_wait_and_is_told_once, a_notice_that_came_during_a_run_is_not_lost, another_channel_is_not_heard,
	listening_outlives_the_connection, a_generation_is_a_connection, a_wait_without_a_server_only_waits, parameters_are_bound_by_name)
