/*
 * What happens to a run when the connection goes: reading runs are run again, writing ones only
 * when it is sure that nothing was committed, nobody waits for a server that is away, and one that
 * is back is found soon.
 */
#include "unit_pg.h"
#include "unit_proxy.h"

#include "base/clock.h"

static PGconn *admin;
static struct db *db;
static struct proxy *proxy;

static const struct query insert_query =
	QUERY("insert_thing", "INSERT INTO things VALUES (1) RETURNING id", 0);
static const struct query count_query =
	QUERY("count_things", "SELECT count(*) AS n, pg_backend_pid() AS pid FROM things", 0);

static void begin(void)
{
	admin = pg_database("unit_lost");
	pg_run(admin, "CREATE TABLE things (id integer); CREATE SEQUENCE tries");
	db = db_new(unit_mem, pg_info("unit_lost", "options='-c search_path=unit'"), "unit_lost");
}

/* The same through a go-between. */
static void begin_behind_proxy(void)
{
	const char *folder = mem_printf(unit_mem, "/tmp/stint-unit-%d", (int)getpid());

	begin();
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	proxy = proxy_start(mem_printf(unit_mem, "%s/.s.PGSQL.5432", folder),
		pg_run(admin,
			"SELECT split_part(current_setting('unix_socket_directories'), ',', 1)"
			" || '/.s.PGSQL.' || current_setting('port')"));
	db = db_new(unit_mem,
		pg_info("unit_lost",
			mem_printf(unit_mem, "host=%s port=5432 options='-c search_path=unit'",
				folder)),
		"unit_lost");
}

static void end_proxy(void)
{
	char folder[64];

	snprintf(folder, sizeof(folder), "/tmp/stint-unit-%d", (int)getpid());
	proxy_stop(proxy);
	rmdir(folder);
}

static enum err run_it(const struct query *query, bool reads)
{
	struct db_stmt s = stmt_of(query, NULL);
	struct db_result *r;

	return db_run(db, unit_mem, &s, 1, reads, &r, NULL);
}

static long things(void)
{
	return pg_number(admin, "SELECT count(*) FROM things");
}

/* As a restart does to an idle connection; waits until the server process is gone. */
static void end_backends(void)
{
	pg_run(admin,
		"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE "
		"application_name = 'unit_lost'");
}

START_TEST(idle_loss_is_not_felt)
{
	begin();
	ck_assert_int_eq(run_it(&count_query, true), OK);
	end_backends();
	ck_assert_int_eq(run_it(&count_query, true), OK);
	end_backends();
	ck_assert_int_eq(run_it(&insert_query, false), OK);
	ck_assert_int_eq(things(), 1);
	end_backends();
	ck_assert(db_ping(db));
}
END_TEST

/* The server says FATAL before it has answered: nothing was committed, so even a write is run
 * again. */
START_TEST(write_that_was_surely_not_applied_is_run_again)
{
	static const struct query die_once = QUERY("die_once",
		"SELECT CASE WHEN nextval('tries') = 1 THEN pg_terminate_backend(pg_backend_pid()) "
		"END",
		0);
	struct db_stmt stmts[3] = { { .query = &insert_query }, { .query = &die_once },
		{ .query = &insert_query } };
	struct db_result *results[3];

	begin();
	ck_assert_int_eq(db_run(db, unit_mem, stmts, 3, false, results, NULL), OK);
	ck_assert_int_eq(pg_number(admin, "SELECT last_value FROM tries"), 2);
	ck_assert_int_eq(things(), 2);
}
END_TEST

START_TEST(a_run_that_always_dies_ends)
{
	static const struct query die =
		QUERY("die", "SELECT nextval('tries'), pg_terminate_backend(pg_backend_pid())", 0);
	struct db_stmt stmts[2] = { { .query = &insert_query }, { .query = &die } };
	struct db_result *results[2];
	struct db_fail fail;

	begin();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
			db_run(db, unit_mem, stmts, 2, i == 0, results, &fail), ERR_UNAVAILABLE);
	ck_assert_int_eq(fail.err, ERR_UNAVAILABLE);
	ck_assert_int_eq(pg_number(admin, "SELECT last_value FROM tries"), 4);
	ck_assert_int_eq(things(), 0);
	ck_assert_int_eq(run_it(&insert_query, false), OK);
}
END_TEST

START_TEST(write_with_its_answer_lost_is_not_run_twice)
{
	begin_behind_proxy();
	ck_assert_int_eq(run_it(&count_query, true), OK);
	*proxy->fault = PROXY_CUT_ANSWER;
	ck_assert_int_eq(run_it(&insert_query, false), ERR_UNAVAILABLE);
	ck_assert_int_eq(things(), 1); /* it was applied, and nobody could know */
	ck_assert_int_eq(run_it(&insert_query, false), OK);
	ck_assert_int_eq(things(), 2);
	*proxy->fault = PROXY_CUT_ANSWER;
	ck_assert_int_eq(run_it(&count_query, true), OK);
	*proxy->fault = PROXY_CUT_QUESTION;
	ck_assert_int_eq(run_it(&insert_query, false), ERR_UNAVAILABLE);
	ck_assert_int_eq(things(), 2);
	end_proxy();
}
END_TEST

/* A server that crashed says no farewell, and a write on its dead connection would be in doubt. */
START_TEST(silent_loss_in_idleness_is_seen_before_a_write)
{
	begin_behind_proxy();
	ck_assert_int_eq(run_it(&insert_query, false), OK);
	*proxy->fault = PROXY_CUT_NOW;
	while (*proxy->fault == PROXY_CUT_NOW)
		usleep(5000);
	usleep(50000);
	ck_assert_int_eq(run_it(&insert_query, false), OK);
	ck_assert_int_eq(things(), 2);
	end_proxy();
}
END_TEST

static struct db_stmt insert_too(void *calls, void *mem, struct db_result **results)
{
	(void)mem;
	(void)results;
	++*(int *)calls;
	return (struct db_stmt){ .query = &insert_query };
}

/* In two trips nothing is committed before the second: the loss of the first answer harms
 * nobody. */
START_TEST(first_trip_of_two_is_run_again)
{
	struct db_stmt s = { .query = &insert_query };
	struct db_result *r;
	int calls = 0;

	begin_behind_proxy();
	ck_assert_int_eq(run_it(&count_query, true), OK);
	*proxy->fault = PROXY_CUT_ANSWER;
	ck_assert_int_eq(db_run_then(db, unit_mem, &s, 1, insert_too, &calls, &r, NULL), OK);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(things(), 2);
	end_proxy();
}
END_TEST

static int64_t took_ms(enum err want, bool reads)
{
	int64_t started_us = clock_monotonic_us();

	ck_assert_int_eq(run_it(reads ? &count_query : &insert_query, reads), want);
	return (clock_monotonic_us() - started_us) / 1000;
}

START_TEST(nobody_waits_for_a_server_that_is_away)
{
	int64_t gone_us, longest_ms = 0;
	int before, n = 0;

	begin_behind_proxy();
	ck_assert_int_eq(run_it(&count_query, true), OK);
	*proxy->fault = PROXY_REFUSE;
	end_backends();
	before = *proxy->served;
	gone_us = clock_monotonic_us();
	while (clock_monotonic_us() - gone_us < 2500000) {
		int64_t ms = took_ms(ERR_UNAVAILABLE, n++ % 2);

		longest_ms = ms > longest_ms ? ms : longest_ms;
		usleep(5000);
	}
	ck_assert_int_lt(longest_ms, 1000); /* connecting has longer */
	ck_assert_int_ge(*proxy->served - before, 3);  /* it tries, */
	ck_assert_int_le(*proxy->served - before, 16); /* but does not hammer */
	*proxy->fault = PROXY_WELL;
	gone_us = clock_monotonic_us();
	while (run_it(&count_query, true) && clock_monotonic_us() - gone_us < 20000000)
		usleep(5000);
	ck_assert_int_eq(run_it(&count_query, true), OK);
	end_proxy();
}
END_TEST

START_TEST(nobody_waits_for_a_server_that_says_nothing)
{
	begin_behind_proxy();
	*proxy->fault = PROXY_MUTE;
	ck_assert_int_lt(took_ms(ERR_UNAVAILABLE, true), 5000);
	ck_assert_int_lt(took_ms(ERR_UNAVAILABLE, true), 500); /* not even asked */
	end_proxy();
}
END_TEST

START_TEST(no_server_at_all)
{
	begin();
	db = db_new(unit_mem, "host=/nonexistent dbname=x", "unit_lost");
	ck_assert_int_lt(took_ms(ERR_UNAVAILABLE, true), 1000);
	ck_assert(!db_ping(db));
	db = db_new(unit_mem, "no such = thing = at all", "unit_lost");
	ck_assert_int_lt(took_ms(ERR_UNAVAILABLE, true), 1000);
}
END_TEST

UNIT_MAIN("db_lost", idle_loss_is_not_felt, write_that_was_surely_not_applied_is_run_again,
	a_run_that_always_dies_ends, write_with_its_answer_lost_is_not_run_twice,
	silent_loss_in_idleness_is_seen_before_a_write, first_trip_of_two_is_run_again,
	nobody_waits_for_a_server_that_is_away,
	nobody_waits_for_a_server_that_says_nothing, no_server_at_all)
