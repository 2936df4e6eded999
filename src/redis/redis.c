/*
 * Counters in Redis, for throttles, and tickets for stint-live: quick to ask, never waited for.
 *
 * Everything has TIMEOUT_MS from first to last, connecting included. After a failure nobody asks
 * again for REST_US, so a Redis that is away costs a request a comparison and not a time-out;
 * callers have a way without it. Redis's blocking calls in here are why no other file may hold a
 * connection of its own.
 *
 * A counter is set up, raised and asked for its time in one MULTI: no key can be left behind
 * without an expiry, which would throttle somebody for ever. SET NX EX before INCR does that with
 * any Redis since 2.6; EXPIRE NX would need 7.
 *
 * The process must not die of SIGPIPE: hiredis writes plainly. redis_new ignores the signal if
 * nobody has decided about it.
 */
#include "redis/redis_private.h"

#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	TIMEOUT_MS = 100,
	REST_US = 1000000,
};

static int redis_close(struct redis *r)
{
	if (r->link)
		redisFree(r->link);
	r->link = NULL;
	return 0;
}

struct redis *redis_new(void *mem, const char *url, const char *password)
{
	struct redis *r = mem_new(mem, struct redis);
	struct sigaction now;

	r->fault = redis_address_read(r, url, password, &r->address);
	r->timeout_ms = TIMEOUT_MS;
	talloc_set_destructor(r, redis_close);
	if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN);
	return r;
}

const char *redis_fault(void *mem, const char *url, const char *password)
{
	struct redis_address address;

	return redis_address_read(mem, url, password, &address);
}

static struct timeval time_left(int64_t deadline_us)
{
	int64_t left_us = deadline_us - clock_monotonic_us();

	if (left_us < 1000)
		left_us = 1000; /* zero would mean for ever */
	return (struct timeval){ .tv_sec = left_us / 1000000, .tv_usec = left_us % 1000000 };
}

/* Why it failed is logged once for each time Redis goes away. */
static bool give_up(struct redis *r, const char *why)
{
	if (!r->away)
		log_warn("redis is away", "why", why, NULL);
	r->away = true;
	r->rest_until_us = clock_monotonic_us() + REST_US;
	redis_close(r);
	return false;
}

int64_t redis_generation(const struct redis *r)
{
	return r->generation;
}

/* Sends all and reads an answer to each into replies. */
static bool exchange(struct redis *r, const struct redis_words *commands, int n, redisReply **replies,
	int64_t deadline_us)
{
	for (int i = 0; i < n; i++) {
		const char **argv = (const char **)(uintptr_t)(commands[i].words ? commands[i].words : commands[i].word);

		if (redisAppendCommandArgv(r->link, commands[i].count, argv, commands[i].lens) != REDIS_OK)
			return false;
	}
	for (int i = 0; i < n; i++) {
		void *reply = NULL;

		if (i && clock_monotonic_us() >= deadline_us)
			return false;
		if (redisGetReply(r->link, &reply) != REDIS_OK)
			return false;
		replies[i] = reply;
	}
	return true;
}

void redis_replies_free(redisReply **replies, int n)
{
	for (int i = 0; i < n; i++) {
		if (replies[i])
			freeReplyObject(replies[i]);
		replies[i] = NULL;
	}
}

/* Says who we are, and which database is meant, where that is needed. */
static bool introduce(struct redis *r, int64_t deadline_us)
{
	const struct redis_address *a = &r->address;
	char *db = mem_printf(r, "%d", a->db);
	struct redis_words commands[2];
	redisReply *replies[REPLIES_MAX] = { NULL };
	const char *fault = NULL;
	int n = 0;

	if (a->user)
		commands[n++] = (struct redis_words){ .count = 3, .word = { "AUTH", a->user, a->password ? a->password : "" } };
	else if (a->password)
		commands[n++] = (struct redis_words){ .count = 2, .word = { "AUTH", a->password } };
	if (a->db)
		commands[n++] = (struct redis_words){ .count = 2, .word = { "SELECT", db } };
	if (!exchange(r, commands, n, replies, deadline_us))
		fault = r->link->err ? r->link->errstr : "too slow";
	for (int i = 0; i < n && !fault; i++)
		if (replies[i]->type == REDIS_REPLY_ERROR)
			fault = replies[i]->str;
	if (fault)
		give_up(r, fault);
	redis_replies_free(replies, n);
	mem_free(db);
	return !fault;
}

static bool link_open(struct redis *r, int64_t deadline_us)
{
	const struct redis_address *a = &r->address;
	struct timeval timeout = time_left(deadline_us);

	if (r->link)
		return redisSetTimeout(r->link, timeout) == REDIS_OK;
	if (r->fault)
		return give_up(r, r->fault);
	r->link = a->path ? redisConnectUnixWithTimeout(a->path, timeout)
			  : redisConnectWithTimeout(a->host, a->port, timeout);
	if (!r->link)
		return give_up(r, "no connection could be made");
	if (r->link->err)
		return give_up(r, r->link->errstr);
	r->generation++;
	return redisSetTimeout(r->link, time_left(deadline_us)) == REDIS_OK && introduce(r, deadline_us);
}

/* Redis answered, but with an error (still loading, read only, no rights): the same as being
 * away. Only what it has against a command itself ("ERR …"), or the kind of a key, is the command's matter alone. */
static bool all_well(struct redis *r, redisReply **replies, int n)
{
	bool refused = false;

	for (int i = 0; i < n; i++) {
		if (!replies[i])
			return give_up(r, "no answer");
		if (replies[i]->type != REDIS_REPLY_ERROR)
			continue;
		if (!str_starts(replies[i]->str, "ERR ") && !str_starts(replies[i]->str, "WRONGTYPE "))
			return give_up(r, replies[i]->str);
		refused = true;
	}
	if (r->away)
		log_info("redis is back", NULL);
	r->away = false;
	return !refused;
}

/* An idle connection may have died with a Redis that is back already: then a second try is worth
 * its while. A time-out is not, and a count made twice hurts nobody. */
bool redis_run(struct redis *r, const struct redis_words *commands, int n, int64_t wait_ms, redisReply **replies)
{
	int64_t deadline_us = clock_monotonic_us() + (r->timeout_ms + wait_ms) * 1000;

	memset(replies, 0, sizeof(*replies) * (size_t)n);
	if (clock_monotonic_us() < r->rest_until_us)
		return false;
	for (int tries = 0; tries < 2; tries++) {
		bool reused = r->link != NULL;

		if (!link_open(r, deadline_us))
			return r->link ? give_up(r, "socket refused a time-out") : false;
		if (exchange(r, commands, n, replies, deadline_us))
			return all_well(r, replies, n);
		redis_replies_free(replies, n);
		if (!reused || clock_monotonic_us() >= deadline_us)
			break;
		redis_close(r);
	}
	return give_up(r, r->link && r->link->err ? r->link->errstr : "too slow");
}

bool redis_ping(struct redis *r)
{
	static const struct redis_words ping = { .count = 1, .word = { "PING" } };
	redisReply *replies[REPLIES_MAX] = { 0 };
	bool ok = redis_run(r, &ping, 1, 0, replies);

	redis_replies_free(replies, REPLIES_MAX);
	return ok;
}

/* The integer at place i of an array. */
static bool take_int(const redisReply *array, size_t i, int64_t *out)
{
	if (array->type != REDIS_REPLY_ARRAY || i >= array->elements ||
		array->element[i]->type != REDIS_REPLY_INTEGER)
		return false;
	*out = array->element[i]->integer;
	return true;
}

/* PTTL's milliseconds, rounded up: "try again in 0 seconds" would be wrong. -1, -2: no expiry,
 * no key. */
static int64_t whole_seconds(int64_t ms)
{
	return ms < 0 ? 0 : (ms + 999) / 1000;
}

bool redis_count(
	struct redis *r, const char *key, int64_t window_s, int64_t *count, int64_t *left_s)
{
	char *window = mem_printf(r, "%lld", (long long)window_s);
	const struct redis_words commands[] = {
		{ .count = 1, .word = { "MULTI" } },
		{ .count = 6, .word = { "SET", key, "0", "EX", window, "NX" } },
		{ .count = 2, .word = { "INCR", key } },
		{ .count = 2, .word = { "PTTL", key } },
		{ .count = 1, .word = { "EXEC" } },
	};
	redisReply *replies[REPLIES_MAX] = { 0 };
	int64_t left_ms = 0;
	bool ok = redis_run(r, commands, 5, 0, replies) && take_int(replies[4], 1, count) &&
		take_int(replies[4], 2, &left_ms);

	*left_s = whole_seconds(left_ms);
	redis_replies_free(replies, REPLIES_MAX);
	mem_free(window);
	return ok;
}

bool redis_peek(struct redis *r, const char *key, int64_t *count, int64_t *left_s)
{
	const struct redis_words commands[] = {
		{ .count = 2, .word = { "GET", key } },
		{ .count = 2, .word = { "PTTL", key } },
	};
	redisReply *replies[REPLIES_MAX] = { 0 };
	bool ok = redis_run(r, commands, 2, 0, replies);

	*count = *left_s = 0;
	if (ok && replies[0]->type == REDIS_REPLY_STRING)
		ok = str_to_int(replies[0]->str, 0, INT64_MAX, count);
	if (ok && *count && replies[1]->type == REDIS_REPLY_INTEGER)
		*left_s = whole_seconds(replies[1]->integer);
	redis_replies_free(replies, REPLIES_MAX);
	return ok;
}

bool redis_forget(struct redis *r, const char *key)
{
	const struct redis_words del = { .count = 2, .word = { "DEL", key } };
	redisReply *replies[REPLIES_MAX] = { 0 };
	bool ok = redis_run(r, &del, 1, 0, replies);

	redis_replies_free(replies, REPLIES_MAX);
	return ok;
}
