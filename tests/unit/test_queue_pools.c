/* Which queues a worker serves: what may stand behind worker_queues, and what --queues means beside it. */
#include "unit.h"

#include <string.h>

#include "base/mem.h"
#include "queue/crew.h"

START_TEST(reads_pools_of_queues)
{
	const char *why = NULL;
	int n = 0;
	struct pool *p = pools_parse(unit_mem, "default:2,mail+outside:3,reports", &n, &why);

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(n, 3);
	ck_assert_int_eq(p[0].nqueues, 1);
	ck_assert_str_eq(p[0].queues[0], "default");
	ck_assert_int_eq(p[0].children, 2);
	ck_assert_int_eq(p[1].nqueues, 2);
	ck_assert_str_eq(p[1].queues[0], "mail");
	ck_assert_str_eq(p[1].queues[1], "outside");
	ck_assert_int_eq(p[1].children, 3);
	ck_assert_str_eq(p[2].queues[0], "reports");
	ck_assert_int_eq(p[2].children, 1);
}
END_TEST

START_TEST(reads_as_much_as_there_may_be)
{
	const char *why = NULL;
	char *many = mem_strdup(unit_mem, "q:256");
	int n = 0;

	for (int i = 1; i < 32; i++)
		many = mem_printf(unit_mem, "%s,a_%d.b-c+b+c+d+e+f+g+h:1", many, i);
	ck_assert_ptr_nonnull(pools_parse(unit_mem, many, &n, &why));
	ck_assert_int_eq(n, 32);
	ck_assert_ptr_null(pools_parse(unit_mem, mem_printf(unit_mem, "%s,one", many), &n, &why));
	ck_assert_ptr_nonnull(strstr(why, "32"));
}
END_TEST

START_TEST(refuses_the_rest_and_quotes_it)
{
	static const char *const bad[] = { "", ",", "a,", "a,,b", ":2", "a:", "a:0", "a:257", "a:-1", "a:x", "a:1:2", "a: 2", " a", "A:1",
		"1a", "a+:2", "+a:2", "a++b", "a/b", "a+b+c+d+e+f+g+h+i", "ä:1", "a:2;b:1" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *why = NULL;
		int n = 0;

		ck_assert_msg(!pools_parse(unit_mem, bad[i], &n, &why), "\"%s\" was read", bad[i]);
		ck_assert_msg(why && strstr(why, "mail:2"), "\"%s\": %s", bad[i], why);
	}
}
END_TEST

START_TEST(a_name_ends_at_63)
{
	char name[80] = { 0 };
	const char *why = NULL;
	int n = 0;

	memset(name, 'q', 63);
	ck_assert_ptr_nonnull(pools_parse(unit_mem, name, &n, &why));
	name[63] = 'q';
	ck_assert_ptr_null(pools_parse(unit_mem, name, &n, &why));
}
END_TEST

START_TEST(pools_choose_finds_sets_by_name)
{
	static const char configured[] = "default:2,mail:4,a+b:3,single";
	static const struct {
		const char *given, *wanted;
	} cases[] = {
		{ NULL, configured }, { "all", configured }, { "mail", "mail:4" }, { "default", "default:2" }, { "a+b", "a+b:3" },
		{ "single", "single" }, { "mai", "mai" }, { "a", "a" }, { "mail:9", "mail:9" }, { "mail,default", "mail,default" },
		{ "", "" },
	};
	void *mem = mem_root("test");

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_str_eq(pools_choose(mem, cases[i].given, configured), cases[i].wanted);
	mem_free(mem);
}
END_TEST

UNIT_MAIN("queue_pools", reads_pools_of_queues, reads_as_much_as_there_may_be, refuses_the_rest_and_quotes_it, a_name_ends_at_63,
	pools_choose_finds_sets_by_name)
