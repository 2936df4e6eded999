/*
 * Counters in a real Redis, and what becomes of callers when it is away, hangs or restarts: they
 * are answered at once, and it is found again.
 */
#include "unit_proxy.h"
#include "unit_redis.h"

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/str.h"

static const char *url;
static char key[64];

/* Fails the test when there is none: a check that was not made is no check that passed. */
static struct redis *begin(void)
{
	struct redis *r;

	url = getenv("STINT_TEST_REDIS_URL");
	ck_assert_msg(url && str_starts(url, "unix:"),
		"STINT_TEST_REDIS_URL is not set to unix:PATH. Run the tests by "
		"./dev test, or name a scratch Redis.");
	snprintf(key, sizeof(key), "unit:%d", (int)getpid());
	r = redis_patient(unit_mem, url, NULL);
	ck_assert(redis_ping(r));
	ck_assert(redis_forget(r, key));
	return r;
}

static struct proxy *proxy_to_redis(void)
{
	return proxy_start(
		mem_printf(unit_mem, "/tmp/stint-unit-redis-%d", (int)getpid()), url + 5);
}

START_TEST(counts_within_a_window)
{
	struct redis *r = begin();
	int64_t count, left_s;

	ck_assert(redis_peek(r, key, &count, &left_s));
	ck_assert_int_eq(count, 0);
	ck_assert_int_eq(left_s, 0);
	for (int i = 1; i <= 3; i++) {
		ck_assert(redis_count(r, key, 60, &count, &left_s));
		ck_assert_int_eq(count, i);
		ck_assert_int_ge(left_s, 59);
		ck_assert_int_le(left_s, 60);
	}
	ck_assert(redis_peek(r, key, &count, &left_s));
	ck_assert_int_eq(count, 3);
	ck_assert_int_ge(left_s, 59);
	ck_assert(redis_forget(r, key));
	ck_assert(redis_peek(r, key, &count, &left_s));
	ck_assert_int_eq(count, 0);
}
END_TEST

/* The window begins with the first count and is not stretched by later ones. */
START_TEST(window_ends)
{
	struct redis *r = begin();
	int64_t count, left_s, started_us = clock_monotonic_us();

	ck_assert(redis_count(r, key, 1, &count, &left_s));
	do {
		usleep(100000);
		ck_assert(redis_count(r, key, 1, &count, &left_s));
	} while (count > 1 && clock_monotonic_us() - started_us < 10000000);
	ck_assert_int_eq(count, 1);
	ck_assert(redis_forget(r, key));
}
END_TEST

START_TEST(nothing_is_lost_between_clients)
{
	struct redis *a = begin(), *b = redis_patient(unit_mem, url, NULL);
	int64_t count, left_s;

	for (int i = 0; i < 100; i++)
		ck_assert(redis_count(i % 2 ? a : b, key, 60, &count, &left_s));
	ck_assert_int_eq(count, 100);
	ck_assert(redis_forget(a, key));
}
END_TEST

START_TEST(wrong_kind_of_key_is_no_answer)
{
	struct redis *r = begin();
	redisContext *raw = redisConnectUnix(url + 5);
	int64_t count = 0, left_s = 0;

	freeReplyObject(redisCommand(raw, "LPUSH %s x", key));
	ck_assert(!redis_count(r, key, 60, &count, &left_s));
	freeReplyObject(redisCommand(raw, "DEL %s", key));
	redisFree(raw);
}
END_TEST

static int64_t count_ms(struct redis *r, bool want)
{
	int64_t count, left_s, started_us = clock_monotonic_us();

	ck_assert_int_eq(redis_count(r, key, 60, &count, &left_s), want);
	return (clock_monotonic_us() - started_us) / 1000;
}

START_TEST(a_redis_that_hangs_holds_nobody)
{
	struct redis *r = begin();
	struct proxy *proxy = proxy_to_redis();
	int64_t began_us;

	r = redis_patient(unit_mem, mem_printf(unit_mem, "unix:%s", proxy->path), NULL);
	count_ms(r, true);
	redis_set_timeout(r, 100);
	*proxy->fault = PROXY_MUTE;
	ck_assert_int_lt(count_ms(r, false), 10000);
	began_us = clock_monotonic_us();
	for (int i = 0; i < 100; i++)
		count_ms(r, false);
	ck_assert_int_lt(clock_monotonic_us() - began_us, 5000000); /* most were not even asked, or it would be 10 s */
	*proxy->fault = PROXY_WELL;
	began_us = clock_monotonic_us();
	while (!redis_ping(r) && clock_monotonic_us() - began_us < 20000000)
		usleep(10000);
	ck_assert(redis_ping(r));
	proxy_stop(proxy);
	ck_assert(redis_forget(redis_patient(unit_mem, url, NULL), key));
}
END_TEST

START_TEST(a_restart_is_not_felt)
{
	struct redis *r = begin();
	struct proxy *proxy = proxy_to_redis();

	r = redis_patient(unit_mem, mem_printf(unit_mem, "unix:%s", proxy->path), NULL);
	count_ms(r, true);
	*proxy->fault = PROXY_CUT_QUESTION; /* the idle connection turns out to be dead */
	count_ms(r, true);
	proxy_stop(proxy);
	count_ms(r, false);
	ck_assert(redis_forget(redis_patient(unit_mem, url, NULL), key));
}
END_TEST

START_TEST(addresses_that_lead_nowhere)
{
	static const char *const urls[] = { "", "unix:", "unix:/nonexistent", "nonsense",
		"localhost:", "127.0.0.1:1", "[::1]:1", "h:99999" };

	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		struct redis *r = redis_new(unit_mem, urls[i], NULL);

		count_ms(r, false);
		ck_assert(!redis_ping(r));
	}
}
END_TEST

UNIT_MAIN("redis", counts_within_a_window, window_ends, nothing_is_lost_between_clients,
	wrong_kind_of_key_is_no_answer, a_redis_that_hangs_holds_nobody, a_restart_is_not_felt,
	addresses_that_lead_nowhere)
