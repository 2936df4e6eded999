/*
 * Lists, texts and streams in a real Redis: what is pushed is popped in order and once, a wait is a wait, and a stream has no gap
 * whoever writes it.
 */
#include "unit_proxy.h"
#include "unit_redis.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

static const char *url, *lists[3], *stream;

static struct redis *begin(void)
{
	struct redis *r;

	url = getenv("STINT_TEST_REDIS_URL");
	ck_assert_msg(url && str_starts(url, "unix:"),
		"STINT_TEST_REDIS_URL is not set to unix:PATH. Run the tests by ./dev test, or name a scratch Redis.");
	r = redis_patient(unit_mem, url, NULL);
	for (int i = 0; i < 3; i++) {
		lists[i] = mem_printf(unit_mem, "unit:%d:list:%d", (int)getpid(), i);
		ck_assert(redis_forget(r, lists[i]));
	}
	stream = mem_printf(unit_mem, "unit:%d:stream", (int)getpid());
	ck_assert(redis_forget(r, stream));
	return r;
}

static void end(struct redis *r)
{
	for (int i = 0; i < 3; i++)
		redis_forget(r, lists[i]);
	redis_forget(r, stream);
}

START_TEST(texts_are_kept_and_expire)
{
	struct redis *r = begin();
	const char *value = "";

	ck_assert(redis_get(r, unit_mem, lists[0], &value));
	ck_assert_ptr_null(value);
	ck_assert(redis_set(r, lists[0], "some \"text\"\r\n", 0));
	ck_assert(redis_get(r, unit_mem, lists[0], &value));
	ck_assert_str_eq(value, "some \"text\"\r\n");
	ck_assert(redis_set(r, lists[0], "short", 1));
	usleep(1300000);
	ck_assert(redis_get(r, unit_mem, lists[0], &value));
	ck_assert_ptr_null(value);
	end(r);
}
END_TEST

START_TEST(what_is_pushed_is_popped_in_order)
{
	static const char *const items[] = { "a", "b", "", "d d", "e" };
	struct redis *r = begin();
	const char *from, **got;
	int64_t lengths[3];
	int n;

	ck_assert(redis_push(r, lists[1], items, 5));
	ck_assert(redis_push(r, lists[2], items, 1));
	ck_assert(redis_lengths(r, lists, 3, lengths));
	ck_assert(lengths[0] == 0 && lengths[1] == 5 && lengths[2] == 1);
	ck_assert(redis_pop(r, unit_mem, lists, 3, 2, 0, &from, &got, &n));
	ck_assert_int_eq(n, 2);
	ck_assert_ptr_eq(from, lists[1]);
	ck_assert(str_eq(got[0], "a") && str_eq(got[1], "b"));
	ck_assert(redis_push(r, lists[0], items + 4, 1));
	ck_assert(redis_pop(r, unit_mem, lists, 3, 9, 1000, &from, &got, &n));
	ck_assert_int_eq(n, 1);
	ck_assert_ptr_eq(from, lists[0]);
	ck_assert(redis_pop(r, unit_mem, lists, 3, 9, 0, &from, &got, &n));
	ck_assert_int_eq(n, 3);
	ck_assert(str_eq(got[0], "") && str_eq(got[1], "d d") && str_eq(got[2], "e"));
	ck_assert(redis_pop(r, unit_mem, lists, 3, 9, 0, &from, &got, &n));
	ck_assert(redis_pop(r, unit_mem, lists, 3, 9, 0, &from, &got, &n));
	ck_assert_int_eq(n, 0);
	ck_assert_ptr_null(from);
	end(r);
}
END_TEST

START_TEST(a_wait_ends_with_an_item_or_with_its_time)
{
	struct redis *r = begin();
	const char *item = "late", *from, **got;
	int64_t began_us = clock_monotonic_us();
	int n = 9, status;

	ck_assert(redis_pop(r, unit_mem, lists, 3, 1, 300, &from, &got, &n));
	ck_assert_int_eq(n, 0);
	ck_assert_int_ge(clock_monotonic_us() - began_us, 290000);
	if (fork() == 0) {
		usleep(200000);
		redis_push(redis_patient(NULL, url, NULL), lists[2], &item, 1);
		_exit(0);
	}
	ck_assert(redis_pop(r, unit_mem, lists, 3, 1, 20000, &from, &got, &n));
	ck_assert_int_eq(n, 1);
	ck_assert_str_eq(got[0], "late");
	ck_assert_int_gt(wait(&status), 0);
	end(r);
}
END_TEST

/* The time-out of an exchange begins behind the wait of the command. */
START_TEST(a_wait_longer_than_the_time_out_is_no_time_out)
{
	struct redis *r = begin();
	const char *from, **got;
	int n;

	redis_set_timeout(r, 200);
	ck_assert(redis_pop(r, unit_mem, lists, 3, 1, 700, &from, &got, &n));
	ck_assert_int_eq(n, 0);
	end(r);
}
END_TEST

static const char *const fields[] = { "noun", "tag", "id", "x" };

static int64_t add(struct redis *r, int64_t number, bool jump)
{
	int64_t last = -2;

	ck_assert(redis_stream_follow(r, stream, number, jump, 1000, fields, 2, &last));
	return last;
}

START_TEST(a_stream_takes_what_comes_next_and_nothing_else)
{
	struct redis *r = begin();
	int64_t last;

	ck_assert(redis_stream_last(r, stream, &last));
	ck_assert_int_eq(last, -1);
	ck_assert_int_eq(add(r, 2, false), 0);
	ck_assert_int_eq(add(r, 1, false), 1);
	ck_assert_int_eq(add(r, 2, false), 2);
	ck_assert_int_eq(add(r, 2, false), 2); /* there already */
	ck_assert_int_eq(add(r, 1, true), 2);
	ck_assert_int_eq(add(r, 4, false), 2); /* a gap */
	ck_assert_int_eq(add(r, 40, true), 40);
	ck_assert_int_eq(add(r, 41, false), 41);
	ck_assert(redis_stream_last(r, stream, &last));
	ck_assert_int_eq(last, 41);
	end(r);
}
END_TEST

START_TEST(a_stream_of_many_writers_has_no_gap)
{
	struct redis *r = begin();
	int status;

	for (int who = 0; who < 4; who++) {
		if (fork() == 0) {
			struct redis *own = redis_patient(NULL, url, NULL);
			int64_t last = 0;

			for (int64_t next = 1; next <= 300; next = last + 1)
				if (!redis_stream_follow(own, stream, next, false, 1000, fields, 2, &last))
					_exit(1);
			_exit(0);
		}
	}
	for (int who = 0; who < 4; who++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(add(r, 300, false), 300);
	ck_assert_int_eq(add(r, 301, false), 301);
	end(r);
}
END_TEST

START_TEST(a_new_connection_is_another_generation)
{
	struct redis *direct = begin(), *r;
	struct proxy *proxy = proxy_start(mem_printf(unit_mem, "/tmp/stint-unit-lists-%d", (int)getpid()), url + 5);
	int64_t first;
	const char *value;

	r = redis_patient(unit_mem, mem_printf(unit_mem, "unix:%s", proxy->path), NULL);
	ck_assert_int_eq(redis_generation(r), 0);
	ck_assert(redis_ping(r));
	first = redis_generation(r);
	ck_assert(redis_ping(r));
	ck_assert_int_eq(redis_generation(r), first);
	*proxy->fault = PROXY_CUT_NOW;
	while (*proxy->fault == PROXY_CUT_NOW)
		usleep(10000);
	/* Mended without a word: who must know asks. */
	ck_assert(redis_get(r, unit_mem, lists[0], &value));
	ck_assert_int_eq(redis_generation(r), first + 1);
	proxy_stop(proxy);
	end(direct);
}
END_TEST

UNIT_MAIN("redis_lists", texts_are_kept_and_expire, what_is_pushed_is_popped_in_order, a_wait_ends_with_an_item_or_with_its_time,
	a_wait_longer_than_the_time_out_is_no_time_out, a_stream_takes_what_comes_next_and_nothing_else, a_stream_of_many_writers_has_no_gap,
	a_new_connection_is_another_generation)
