/* What workers share: rate limits and counters. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "http/limits.h"
#include "http/metrics.h"

static struct limit_state take(struct limits *l, const char *key)
{
	return limits_take(l, key, strlen(key));
}

START_TEST(a_burst_is_allowed_and_then_no_more)
{
	struct limits *l = limits_new(60, 5);

	for (int left = 4; left >= 0; left--) {
		struct limit_state s = take(l, "me");

		ck_assert(!s.refused);
		ck_assert_int_eq(s.limit, 5);
		ck_assert_int_eq(s.remaining, left);
		ck_assert_int_eq(s.reset_s, 5 - left);
	}
	for (int i = 0; i < 3; i++) {
		struct limit_state s = take(l, "me");

		ck_assert(s.refused);
		ck_assert_int_eq(s.remaining, 0);
		ck_assert_int_eq(s.reset_s, 1);
	}
	ck_assert(!take(l, "you").refused);
}
END_TEST

START_TEST(what_was_taken_comes_back)
{
	const struct timespec nap = { .tv_nsec = 30 * 1000 * 1000 };
	struct limits *l = limits_new(6000, 2); /* one every 10 ms */

	ck_assert(!take(l, "me").refused);
	ck_assert(!take(l, "me").refused);
	ck_assert(take(l, "me").refused);
	nanosleep(&nap, NULL);
	ck_assert(!take(l, "me").refused);
}
END_TEST

START_TEST(no_limit_never_refuses)
{
	struct limits *l = limits_new(0, 1);

	for (int i = 0; i < 1000; i++)
		ck_assert(!take(l, "me").refused);
}
END_TEST

/* Four processes at once get exactly the burst between them. */
START_TEST(processes_share_one_bucket)
{
	struct limits *l = limits_new(1, 100);
	int allowed = 0;

	for (int p = 0; p < 4; p++) {
		pid_t pid = fork();

		if (pid == 0) {
			int n = 0;

			for (int i = 0; i < 60; i++)
				n += !take(l, "me").refused;
			_exit(n);
		}
		ck_assert_int_gt(pid, 0);
	}
	for (int p = 0; p < 4; p++) {
		int status;

		wait(&status);
		allowed += WEXITSTATUS(status);
	}
	ck_assert_int_eq(allowed, 100);
}
END_TEST

START_TEST(many_callers_do_not_share)
{
	struct limits *l = limits_new(1, 1);
	char key[32];
	int refused = 0;

	for (int i = 0; i < 10000; i++) {
		snprintf(key, sizeof(key), "caller %d", i);
		refused += take(l, key).refused;
	}
	ck_assert_int_eq(refused, 0);
}
END_TEST

static void count(const char *route, int status, int64_t took_us)
{
	struct request rq = { .route = route, .res.status = status };

	metrics_request(&rq, took_us);
}

START_TEST(counters_are_written_for_prometheus)
{
	static const char *const routes[] = { "tags.list", "tags.get" };
	struct buf out;

	metrics_count("mails_sent"); /* before there are counters: nothing happens */
	metrics_init(routes, 2);
	count("tags.list", 200, 400);
	count(routes[1], 404, 3000);
	count("-", 500, 90 * 1000000);
	if (fork() == 0) {
		count("tags.list", 200, 400);
		metrics_count("mails_sent");
		_exit(0);
	}
	wait(NULL);
	buf_init(&out, unit_mem);
	metrics_write(&out);
	ck_assert_ptr_nonnull(strstr(out.data, "stint_requests_total{route=\"tags.list\",status=\"2xx\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "stint_requests_total{route=\"tags.get\",status=\"4xx\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "stint_requests_total{route=\"-\",status=\"5xx\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "_bucket{le=\"0.0005\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "_bucket{le=\"0.005\"} 3\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "_bucket{le=\"10\"} 3\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "_bucket{le=\"+Inf\"} 4\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "_sum 90.003800\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "stint_mails_sent_total 1\n"));
}
END_TEST

UNIT_MAIN("http_limits", a_burst_is_allowed_and_then_no_more, what_was_taken_comes_back, no_limit_never_refuses,
	processes_share_one_bucket, many_callers_do_not_share, counters_are_written_for_prometheus)
