/*
 * tools/embed-queries.pl, run as the build runs it, on files of this test's own: what is a
 * parameter and what only looks like one, and which mistakes stop a build.
 */
#include "unit.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "db/db.h"

extern char **environ;

static const char *dir;  /* of the running test */
static const char *made; /* what the tool wrote */
static const char *said; /* and what it said */

static const char *file_read(const char *path)
{
	char *text = mem_array(unit_mem, char, 65536);
	FILE *in = fopen(path, "re");

	if (in) {
		text[fread(text, 1, 65535, in)] = '\0';
		fclose(in);
	}
	return text;
}

static const char *file_write(const char *name, const char *text)
{
	const char *path = mem_printf(unit_mem, "%s/%s", dir, name);
	FILE *out = fopen(path, "we");

	ck_assert_ptr_nonnull(out);
	ck_assert_int_ge(fputs(text, out), 0);
	ck_assert_int_eq(fclose(out), 0);
	return path;
}

static void begin(void)
{
	dir = mem_printf(unit_mem, "/tmp/stint-embed-%d", (int)getpid());
	ck_assert_int_eq(mkdir(dir, 0700), 0);
}

static void end(void)
{
	static const char *const names[] = { "a.sql", "b.sql", "out.c", "said",
		"migrations/0001-a.sql", "migrations/0001-b.sql", "migrations/first.sql",
		"migrations", "policies.sql" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		remove(mem_printf(unit_mem, "%s/%s", dir, names[i]));
	ck_assert_int_eq(rmdir(dir), 0);
}

/* Gives the exit status. */
static int embed(const char *mode, const char *a, const char *b, const char *c)
{
	const char *out = mem_printf(unit_mem, "%s/out.c", dir),
		   *err = mem_printf(unit_mem, "%s/said", dir);
	const char *argv[] = { "perl", STINT_SRCDIR "/tools/embed-queries.pl", mode, out, a, b, c,
		NULL };
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;

	remove(out);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 2, err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_eq(
		posix_spawnp(&pid, "perl", &actions, NULL, (char *const *)(uintptr_t)argv, environ),
		0);
	posix_spawn_file_actions_destroy(&actions);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	made = file_read(out);
	said = file_read(err);
	return status;
}

static void has(const char *part)
{
	ck_assert_msg(strstr(made, part) != NULL, "no <%s> in <%s> (%s)", part, made, said);
}

/* One query whose text becomes sql with these parameters, all as they stand in C. */
static void becomes(const char *text, const char *sql, const char *params)
{
	ck_assert_msg(embed("queries",
			      file_write("a.sql", mem_printf(unit_mem, "-- name: q\n%s\n", text)),
			      NULL, NULL) == 0,
		"%s", said);
	has(mem_printf(unit_mem, "\"%s\" },", sql));
	if (params)
		has(mem_printf(unit_mem, "params_q[] = { %s };", params));
	else
		ck_assert_ptr_null(strstr(made, "params_q"));
}

START_TEST(parameters_become_numbers)
{
	begin();
	becomes("SELECT :a, :b_2, :a", "SELECT $1, $2, $1", "\"a\", \"b_2\"");
	becomes("SELECT :a::uuid::text", "SELECT $1::uuid::text", "\"a\"");
	becomes("SELECT f(a := :x, b=>:y)", "SELECT f(a := $1, b=>$2)", "\"x\", \"y\"");
	becomes("SELECT (:a)||:b", "SELECT ($1)||$2", "\"a\", \"b\"");
	becomes("SELECT x[1 : 2], x[:i]", "SELECT x[1 : 2], x[$1]", "\"i\"");
	becomes("SELECT 1;", "SELECT 1", NULL);
	end();
}
END_TEST

START_TEST(what_only_looks_like_a_parameter)
{
	begin();
	becomes("SELECT ':a', 'it''s :a', E'\\':a', e'\\\\'",
		"SELECT ':a', 'it''s :a', E'\\\\':a', e'\\\\\\\\'", NULL);
	becomes("SELECT \"q:a\", \"q\"\":a\"", "SELECT \\\"q:a\\\", \\\"q\\\"\\\":a\\\"", NULL);
	becomes("SELECT $$:a ' $$, $x$ :a $$ $x$, :b", "SELECT $$:a ' $$, $x$ :a $$ $x$, $1",
		"\"b\"");
	becomes("SELECT a$b, :c", "SELECT a$b, $1", "\"c\"");
	becomes("SELECT now()::time", "SELECT now()::time", NULL);
	becomes("SELECT 1 -- :a ' $$\n , 2 /* :a /* ' */ :b */, :c",
		"SELECT 1\\n\"\n\t\t\" , 2  , $1", "\"c\"");
	becomes("SELECT '  \n\n  -- kept', 'l ast'",
		"SELECT '  \\n\"\n\t\t\"\\n\"\n\t\t\"  -- kept', 'l ast'", NULL);
	becomes("SELECT '?\?/ é'", "SELECT '\\?\\?/ \\303\\251'", NULL);
	end();
}
END_TEST

START_TEST(rows_stand_in_order_of_names)
{
	const char *a, *b;

	begin();
	a = file_write("a.sql",
		"-- About these.\n\n-- name: zebra\nSELECT 1\n-- name: tags_list\nSELECT 2;\n");
	b = file_write("b.sql", "-- name: ant\n-- what it is for\nSELECT 3");
	ck_assert_int_eq(embed("queries", a, b, NULL), 0);
	has("embedded_query_count = 3;");
	ck_assert(strstr(made, "\"tags_list\"") > strstr(made, "\"ant\""));
	ck_assert(strstr(made, "\"zebra\"") > strstr(made, "\"tags_list\""));
	ck_assert_int_eq(embed("queries", NULL, NULL, NULL), 0);
	has("embedded_query_count = 0;");
	end();
}
END_TEST

static void refused(const char *text, const char *why)
{
	ck_assert_int_ne(embed("queries", file_write("a.sql", text), NULL, NULL), 0);
	ck_assert_msg(strstr(said, why) != NULL, "no <%s> in <%s>", why, said);
	ck_assert_str_eq(made, "");
}

START_TEST(mistakes_stop_the_build)
{
	begin();
	refused("-- name: a\nSELECT 1\n-- name: a\nSELECT 2\n", "a.sql:3: a stands in");
	refused("-- name: a\n\n-- name: b\nSELECT 2\n", "there is no statement");
	refused("SELECT 1\n-- name: b\nSELECT 2\n", "text before the first");
	refused("-- name: Tags-List\nSELECT 2\n", "noun_action");
	refused("-- name:a\nSELECT 2\n", "noun_action");
	refused("-- name: a\nSELECT 1; SELECT 2\n", "more than one statement");
	refused("-- name: a\nSELECT $1\n", "use :names");
	refused("-- name: a\nSELECT 'x\n", "a string is not closed");
	refused("-- name: a\nSELECT E'x\\'\n", "a string is not closed");
	refused("-- name: a\nSELECT \"x\n", "identifier is not closed");
	refused("-- name: a\nSELECT $x$ $$\n", "$x$ is not closed");
	refused("-- name: a\nSELECT 1 /* /* */\n", "is not closed");
	ck_assert_int_ne(embed("queries", "/nonexistent.sql", NULL, NULL), 0);
	ck_assert_int_ne(embed("nonsense", "/nonexistent.sql", NULL, NULL), 0);
	end();
}
END_TEST

START_TEST(files_are_kept_as_they_are)
{
	const char *m, *p;

	begin();
	ck_assert_int_eq(mkdir(mem_printf(unit_mem, "%s/migrations", dir), 0700), 0);
	m = file_write("migrations/0001-a.sql", "SELECT ':a'; -- :b\n");
	p = file_write("policies.sql", "GRANT \"x\";");
	ck_assert_int_eq(embed("files", dir, p, m), 0);
	has("{ .name = \"migrations/0001-a.sql\", .kind = SQL_MIGRATION,\n\t  .text "
	    "=\n\t\t\"SELECT ':a'; -- :b\\n\" },");
	has("{ .name = \"policies.sql\", .kind = SQL_POLICIES,\n\t  .text =\n\t\t\"GRANT "
	    "\\\"x\\\";\" },");
	ck_assert_int_ne(embed("files", dir, m, file_write("migrations/0001-b.sql", "")), 0);
	ck_assert_ptr_nonnull(strstr(said, "has this number already"));
	ck_assert_int_ne(embed("files", dir, file_write("migrations/first.sql", ""), NULL), 0);
	ck_assert_ptr_nonnull(strstr(said, "NNNN-name.sql"));
	end();
}
END_TEST

/* And what this very program was built with. */
START_TEST(embedded_queries_are_found)
{
	int n;
	const struct query *all = query_all(&n);

	ck_assert_int_gt(n, 0);
	for (int i = 0; i < n; i++) {
		ck_assert_ptr_eq(query_find(all[i].name), &all[i]);
		ck_assert(i == 0 || strcmp(all[i - 1].name, all[i].name) < 0);
		for (int k = 0; k < all[i].nparams; k++)
			ck_assert_ptr_nonnull(all[i].params[k]);
	}
	ck_assert_ptr_null(query_find("no_such_query"));
	ck_assert_ptr_null(query_find(""));
}
END_TEST

UNIT_MAIN("db_embed", parameters_become_numbers, what_only_looks_like_a_parameter,
	rows_stand_in_order_of_names, mistakes_stop_the_build, files_are_kept_as_they_are,
	embedded_queries_are_found)
