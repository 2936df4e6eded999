#ifndef STINT_UNIT_H
#define STINT_UNIT_H
/*
 * What every unit test of this house shares: Check in fork mode, and after each test the proof that nothing was left
 * behind in talloc. A test hangs its allocations below `unit_mem`, which goes after it; a root context that somebody
 * forgot fails the test by name.
 *
 *	#include "unit.h"
 *	START_TEST(adds_up) { ck_assert_int_eq(1 + 1, 2); } END_TEST
 *	UNIT_MAIN("base_sums", adds_up)
 */
#include <check.h>
#include <stdlib.h>
#include <talloc.h>

static void *unit_mem; /* of the running test */
static size_t unit_blocks_before;

static void unit_setup(void)
{
	talloc_enable_null_tracking();
	atexit(talloc_disable_null_tracking); /* or its own block looks leaked */
	unit_blocks_before = talloc_total_blocks(NULL);
	unit_mem = talloc_named_const(NULL, 0, "test");
}

static void unit_teardown(void)
{
	talloc_free(unit_mem);
	unit_mem = NULL;
	if (talloc_total_blocks(NULL) != unit_blocks_before)
		talloc_report_full(NULL, stderr);
	ck_assert_msg(talloc_total_blocks(NULL) == unit_blocks_before,
		      "%zu talloc blocks were left behind", talloc_total_blocks(NULL) - unit_blocks_before);
}

static int unit_run(const char *name, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, unit_setup, unit_teardown);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define UNIT_MAIN(name, ...)                                                     \
	int main(void)                                                           \
	{                                                                        \
		const TTest *const unit_tests[] = {__VA_ARGS__};                 \
		return unit_run(name, unit_tests, sizeof(unit_tests) / sizeof(*unit_tests)); \
	}

#endif
