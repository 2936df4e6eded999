/*
 * Statements prepared on the way: when a query counts as prepared, and what happens when PostgreSQL
 * no longer agrees. And the run in two trips, whose second half depends on the first.
 */
#include "unit_pg.h"

#include "base/str.h"

static PGconn *admin;
static struct db *db;

static const struct query refuse_query = QUERY("refuse_it", "SELECT refuse()", 0);
static const struct query select_query =
	QUERY("select_things", "SELECT * FROM things ORDER BY id", 0);
static const struct query insert_query = QUERY("insert_thing",
	"INSERT INTO things (id) VALUES ($1::integer) RETURNING id, pg_current_xact_id() AS xid",
	1);
static const struct query held_query = QUERY("held",
	"SELECT string_agg(name, ',' ORDER BY name) AS names FROM pg_prepared_statements", 0);

static void begin(void)
{
	admin = pg_database("unit_prepare");
	pg_run(admin,
		"CREATE TABLE things (id integer CONSTRAINT tags_pkey PRIMARY KEY);"
		"CREATE TABLE stored (xid xid8, doc text);"
		"CREATE FUNCTION refuse() RETURNS text LANGUAGE plpgsql AS $$"
		" BEGIN RAISE EXCEPTION USING ERRCODE = 'ST001', MESSAGE = 'forbidden'; END $$;"
		"INSERT INTO things VALUES (1)");
	db = db_new(unit_mem, pg_info("unit_prepare", "options='-c search_path=unit'"), "unit");
}

static enum err run(const struct db_stmt *stmts, int n, struct db_result **results)
{
	return db_run(db, unit_mem, stmts, n, false, results, NULL);
}

static struct db_stmt plain(const struct query *query)
{
	return (struct db_stmt){ .query = query };
}

static const char *held(void)
{
	struct db_stmt s = plain(&held_query);
	struct db_result *r;

	ck_assert_int_eq(run(&s, 1, &r), OK);
	return db_text(r, 0, "names");
}

START_TEST(each_is_prepared_once)
{
	struct db_stmt stmts[3] = { plain(&select_query), plain(&select_query),
		plain(&select_query) };
	struct db_result *results[3];

	begin();
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(run(stmts, 3, results), OK);
	ck_assert_int_eq(db_rows(results[2]), 1);
	ck_assert_str_eq(held(), "held,select_things");
}
END_TEST

/* Preparing goes in front of the guard, so a refusal on the first request of a connection costs
 * nothing. */
START_TEST(refusal_on_a_cold_connection_leaves_it_right)
{
	struct db_stmt stmts[2] = { plain(&refuse_query), plain(&select_query) };
	struct db_result *results[2];

	begin();
	ck_assert_int_eq(run(stmts, 2, results), ERR_FORBIDDEN);
	ck_assert_str_eq(held(), "held,refuse_it,select_things");
	ck_assert_int_eq(run(stmts + 1, 1, results), OK);
	ck_assert_int_eq(run(stmts, 2, results), ERR_FORBIDDEN);
}
END_TEST

START_TEST(what_cannot_be_prepared_is_no_trap_for_the_rest)
{
	static const struct query wrong = QUERY("wrong", "SELECT nonsense", 0);
	struct db_stmt stmts[2] = { plain(&wrong), plain(&select_query) };
	struct db_result *results[2];

	begin();
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(run(stmts, 2, results), ERR_INTERNAL);
	ck_assert_int_eq(run(stmts + 1, 1, results), OK);
	ck_assert_int_eq(db_rows(results[0]), 1);
	ck_assert_str_eq(held(), "held,select_things");
}
END_TEST

START_TEST(migration_under_a_prepared_query)
{
	struct db_stmt s = plain(&select_query);
	struct db_result *r;

	begin();
	ck_assert_int_eq(run(&s, 1, &r), OK);
	ck_assert_ptr_null(db_text(r, 0, "color"));
	pg_run(admin, "ALTER TABLE things ADD color text NOT NULL DEFAULT 'red'");
	ck_assert_int_eq(run(&s, 1, &r), OK);
	ck_assert_str_eq(db_text(r, 0, "color"), "red");
}
END_TEST

START_TEST(statements_that_are_gone_are_prepared_anew)
{
	static const struct query forget = QUERY(NULL, "DEALLOCATE ALL", 0);
	static const struct query twin = QUERY("select_things", "SELECT 1 AS one", 0);
	struct db_stmt s = plain(&select_query), all = plain(&forget), other = plain(&twin);
	struct db_result *r;

	begin();
	ck_assert_int_eq(run(&s, 1, &r), OK);
	ck_assert_int_eq(run(&all, 1, &r), OK);
	ck_assert_int_eq(run(&s, 1, &r), OK);
	ck_assert_int_eq(db_rows(r), 1);
	/* The same name for another text, as after a program was replaced behind a pooler. */
	ck_assert_int_eq(run(&other, 1, &r), OK);
	ck_assert_str_eq(db_text(r, 0, "one"), "1");
}
END_TEST

START_TEST(many_queries_are_told_apart)
{
	enum { MANY = 300 };
	struct query *queries = mem_array(unit_mem, struct query, MANY);
	struct db_result *r;

	begin();
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < MANY; i++) {
			const char *want = mem_printf(unit_mem, "%d", i);
			struct db_stmt s = plain(&queries[i]);

			queries[i].name = mem_printf(unit_mem, "q%d", i);
			queries[i].sql = mem_printf(unit_mem, "SELECT %d AS n", i);
			ck_assert_int_eq(run(&s, 1, &r), OK);
			ck_assert_str_eq(db_text(r, 0, "n"), want);
		}
}
END_TEST

/* What the second trip is asked to do, and how often it was asked. */
struct then {
	const struct query *query;
	int calls;
};

static struct db_stmt store(void *arg, void *mem, struct db_result **results)
{
	struct then *then = arg;
	const char **values = mem_array(mem, const char *, 1);

	then->calls++;
	values[0] = db_text(results[1], 0, "id");
	return stmt_of(then->query, values);
}

static enum err run_then(
	const struct query *second, int *calls, struct db_fail *fail, const struct db_stmt *first)
{
	static const char *const values[] = { "7" };
	struct db_stmt stmts[2] = { first ? *first : plain(&select_query),
		stmt_of(&insert_query, values) };
	struct db_result *results[2];
	struct then then = { .query = second };
	enum err e = db_run_then(db, unit_mem, stmts, 2, store, &then, results, fail);

	*calls = then.calls;
	return e;
}

START_TEST(two_trips_commit_as_one)
{
	static const struct query keep =
		QUERY("keep", "INSERT INTO stored VALUES (pg_current_xact_id(), $1)", 1);
	struct db_fail fail;
	int calls;

	begin();
	ck_assert_int_eq(run_then(&keep, &calls, &fail, NULL), OK);
	ck_assert_int_eq(calls, 1);
	ck_assert_str_eq(pg_run(admin, "SELECT doc FROM stored"), "7");
	ck_assert_int_eq(pg_number(admin,
				 "SELECT count(DISTINCT xid::text) FROM ("
				 "SELECT xid FROM stored UNION ALL SELECT xmin::text::xid8 FROM "
				 "things WHERE id = 7) x"),
		1);
}
END_TEST

START_TEST(two_trips_fail_as_one)
{
	static const struct query wrong =
		QUERY("doubled", "INSERT INTO things VALUES ($1::integer)", 1);
	struct db_stmt refuse = plain(&refuse_query);
	struct db_fail fail;
	int calls;

	begin();
	ck_assert_int_eq(run_then(&wrong, &calls, &fail, NULL), ERR_ID_TAKEN);
	ck_assert_int_eq(fail.stmt, 2);
	ck_assert_int_eq(calls, 2); /* what meets its own id is run once more: it may have been its twin's */
	ck_assert_int_eq(pg_number(admin, "SELECT count(*) FROM things"), 1);
	ck_assert_int_eq(run_then(&wrong, &calls, &fail, &refuse), ERR_FORBIDDEN);
	ck_assert_int_eq(fail.stmt, 0);
	ck_assert_int_eq(calls, 0);
	ck_assert_int_eq(pg_number(admin, "SELECT count(*) FROM things"), 1);
	ck_assert_str_eq(held(), "doubled,held,insert_thing,refuse_it,select_things");
}
END_TEST

START_TEST(second_trip_may_be_empty)
{
	struct db_fail fail;
	int calls;

	begin();
	ck_assert_int_eq(run_then(NULL, &calls, &fail, NULL), OK);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(pg_number(admin, "SELECT count(*) FROM things"), 2);
}
END_TEST

UNIT_MAIN("db_prepare", each_is_prepared_once, refusal_on_a_cold_connection_leaves_it_right,
	what_cannot_be_prepared_is_no_trap_for_the_rest, migration_under_a_prepared_query,
	statements_that_are_gone_are_prepared_anew, many_queries_are_told_apart,
	two_trips_commit_as_one, two_trips_fail_as_one, second_trip_may_be_empty)
