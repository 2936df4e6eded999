/*
 * stint explain ROUTE --as EMAIL: the plan of a route's query and what it gives, as that person sees it. Signs in for the
 * moment with a token of its own and out again. Reading routes are run; of writing ones only the plan is shown.
 */
#include "cli/cli.h"

#include <stdio.h>

#include "app/routes.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "db/db.h"
#include "features/features.h"

static struct db_result *run(struct db *db, void *mem, const struct query *query,
	const char *const *values)
{
	const struct db_stmt stmt = { .query = query, .values = values };
	struct db_fail f = { 0 };
	struct db_result *rows = NULL;

	if (db_run(db, mem, &stmt, 1, false, &rows, &f)) {
		fprintf(stderr, "%s: %s\n", query->name, err_info(f.err)->detail);
		return NULL;
	}
	return rows;
}

static const char **bind(void *mem, const struct query *query, const struct pair *given, size_t n)
{
	const struct pairs pairs = { .items = (struct pair *)(uintptr_t)given, .count = n };
	const char **values = mem_array(mem, const char *, (size_t)query->nparams + 1);

	for (int i = 0; i < query->nparams; i++)
		values[i] = pairs_get(&pairs, query->params[i]);
	return values;
}

static bool sign_in(struct db *db, void *mem, const char *email, const char *hash)
{
	const struct query *account = query_find("auth_account");
	const struct query *create = query_find("auth_session_create");
	const struct pair who[] = { { "email", email } };
	struct db_result *rows = run(db, mem, account, bind(mem, account, who, 1));

	if (!rows || db_rows(rows) == 0)
		return false;
	const struct pair given[] = {
		{ "user_id", db_text(rows, 0, "user_id") },
		{ "kind", "token" },
		{ "hash", hash },
		{ "user_agent", "stint explain" },
		{ "ip", "" },
		{ "days", "1" },
	};

	return run(db, mem, create, bind(mem, create, given, 6)) != NULL;
}

static void print_rows(const struct db_result *rows, const char *column)
{
	for (int i = 0; i < db_rows(rows); i++) {
		const char *text = db_text(rows, i, column);

		if (text)
			puts(text);
	}
}

static void explain(struct db *db, void *mem, const struct face *face, const char *hash)
{
	bool writes = face->route->flags & ROUTE_WRITE;
	struct buf sql;
	const struct query *enter = query_find("enter");
	const struct pair caller[] = { { "credential", hash }, { "need", "-1" }, { "flags", "0" },
		{ "limit", "50" }, { "input", "{}" } };
	struct db_result *results[3] = { 0 };
	struct db_fail f = { 0 };

	buf_init(&sql, mem);
	buf_puts(&sql, writes ? "EXPLAIN " : "EXPLAIN (ANALYZE, BUFFERS) ");
	buf_puts(&sql, face->query->sql);
	const struct query plan = { .sql = sql.data, .params = face->query->params, .nparams = face->query->nparams };
	const char **values = bind(mem, face->query, caller, 5);
	const struct db_stmt stmts[] = {
		{ .query = enter, .values = bind(mem, enter, caller, 5) },
		{ .query = &plan, .values = values },
		{ .query = face->query, .values = values },
	};

	if (db_run(db, mem, stmts, writes ? 2 : 3, false, results, &f)) {
		fprintf(stderr, "%s: %s\n", face->query->name, err_info(f.err)->detail);
		return;
	}
	print_rows(results[1], "QUERY PLAN");
	if (!writes)
		print_rows(results[2], "doc");
}

int cli_explain(void *mem, const struct conf *conf, const char *name, const char *email)
{
	const struct routes *routes = routes_new(mem, feature_tables);
	const struct face *face = routes_by_name(routes, name, false);
	struct db *db = db_new(mem, conf->database_url, "stint explain");
	const char *hash = token_hash(mem, token_new(mem, "stint_"));
	const struct query *logout = query_find("auth_logout");
	const struct pair given[] = { { "credential", hash } };

	if (!face)
		face = routes_by_name(routes, name, true);
	if (!face || !face->query) {
		fprintf(stderr, "%s is no route with a query; see stint routes\n", name);
		return 64;
	}
	if (!sign_in(db, mem, email, hash)) {
		fprintf(stderr, "%s cannot be signed in\n", email);
		return 1;
	}
	explain(db, mem, face, hash);
	run(db, mem, logout, bind(mem, logout, given, 1));
	return 0;
}
