/* Which queues a worker serves, and what --queues means beside worker_queues. */
#include "unit.h"

#include "base/mem.h"
#include "queue/crew.h"

START_TEST(pools_parse_reads_sets_and_numbers)
{
	void *mem = mem_root("test");
	const char *why = NULL;
	int n = 0;
	struct pool *pools = pools_parse(mem, "default:2,mail+outside:3,odd", &n, &why);

	ck_assert_ptr_nonnull(pools);
	ck_assert_int_eq(n, 3);
	ck_assert_int_eq(pools[0].children, 2);
	ck_assert_int_eq(pools[1].children, 3);
	ck_assert_int_eq(pools[1].nqueues, 2);
	ck_assert_str_eq(pools[1].queues[1], "outside");
	ck_assert_int_eq(pools[2].children, 1);
	mem_free(mem);
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

UNIT_MAIN("queue_pools", pools_parse_reads_sets_and_numbers, pools_choose_finds_sets_by_name)
