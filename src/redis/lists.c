/*
 * Lists and streams: what carries jobs and events. Nothing here lasts: whoever pushes can push again, and whoever pops and dies
 * leaves it to the one who pushed to notice. See redis.h.
 */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "redis/redis_private.h"

void redis_set_timeout(struct redis *r, int64_t timeout_ms)
{
	r->timeout_ms = timeout_ms;
}

/* A command whose words are known only now. */
struct line {
	const char **words;
	int n;
};

static struct line line_new(void *mem, int most)
{
	return (struct line){ .words = mem_array(mem, const char *, (size_t)most), .n = 0 };
}

static void line_add(struct line *l, const char *word)
{
	l->words[l->n++] = word;
}

/* Runs one such command and lets go of its words. */
static bool line_run(struct redis *r, struct line *l, int64_t wait_ms, redisReply **reply)
{
	const struct redis_words command = { .count = l->n, .words = l->words };
	bool ok = redis_run(r, &command, 1, wait_ms, reply);

	mem_free(l->words);
	return ok;
}

bool redis_set(struct redis *r, const char *key, const char *value, int64_t ttl_s)
{
	char *ttl = mem_printf(r, "%lld", (long long)ttl_s);
	const struct redis_words set = { .count = ttl_s ? 5 : 3, .word = { "SET", key, value, "EX", ttl } };
	redisReply *reply = NULL;
	bool ok = redis_run(r, &set, 1, 0, &reply);

	redis_replies_free(&reply, 1);
	mem_free(ttl);
	return ok;
}

bool redis_get(struct redis *r, void *mem, const char *key, const char **value)
{
	const struct redis_words get = { .count = 2, .word = { "GET", key } };
	redisReply *reply = NULL;
	bool ok = redis_run(r, &get, 1, 0, &reply);

	*value = ok && reply->type == REDIS_REPLY_STRING ? mem_strndup(mem, reply->str, reply->len) : NULL;
	redis_replies_free(&reply, 1);
	return ok;
}

bool redis_push(struct redis *r, const char *key, const char *const *items, int n)
{
	struct line l = line_new(r, n + 2);
	redisReply *reply = NULL;
	bool ok;

	line_add(&l, "RPUSH");
	line_add(&l, key);
	for (int i = 0; i < n; i++)
		line_add(&l, items[i]);
	ok = line_run(r, &l, 0, &reply);
	redis_replies_free(&reply, 1);
	return ok;
}

/* BLMPOP's answer: nil, or the key and its items. */
static void take_popped(const redisReply *reply, void *mem, const char *const *keys, int nkeys, const char **from,
	const char ***items, int *n)
{
	const redisReply *list;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return;
	list = reply->element[1];
	for (int i = 0; i < nkeys; i++)
		if (str_eq(keys[i], reply->element[0]->str))
			*from = keys[i];
	*items = mem_array(mem, const char *, list->elements);
	for (size_t i = 0; i < list->elements; i++)
		(*items)[i] = mem_strndup(mem, list->element[i]->str, list->element[i]->len);
	*n = (int)list->elements;
}

bool redis_pop(struct redis *r, void *mem, const char *const *keys, int nkeys, int most, int64_t wait_ms, const char **from,
	const char ***items, int *n)
{
	char *wait = mem_printf(r, "%lld.%03lld", (long long)(wait_ms / 1000), (long long)(wait_ms % 1000));
	char *count = mem_printf(r, "%d", most), *many = mem_printf(r, "%d", nkeys);
	struct line l = line_new(r, nkeys + 6);
	redisReply *reply = NULL;
	bool ok;

	*from = NULL;
	*items = NULL;
	*n = 0;
	line_add(&l, wait_ms ? "BLMPOP" : "LMPOP");
	if (wait_ms)
		line_add(&l, wait);
	line_add(&l, many);
	for (int i = 0; i < nkeys; i++)
		line_add(&l, keys[i]);
	line_add(&l, "LEFT");
	line_add(&l, "COUNT");
	line_add(&l, count);
	ok = line_run(r, &l, wait_ms, &reply);
	if (ok)
		take_popped(reply, mem, keys, nkeys, from, items, n);
	redis_replies_free(&reply, 1);
	mem_free(wait);
	mem_free(count);
	mem_free(many);
	return ok;
}

bool redis_lengths(struct redis *r, const char *const *keys, int n, int64_t *lengths)
{
	struct redis_words *commands = mem_array(r, struct redis_words, (size_t)n);
	redisReply **replies = mem_array(r, redisReply *, (size_t)n);
	bool ok;

	for (int i = 0; i < n; i++)
		commands[i] = (struct redis_words){ .count = 2, .word = { "LLEN", keys[i] } };
	ok = redis_run(r, commands, n, 0, replies);
	for (int i = 0; i < n; i++)
		lengths[i] = ok && replies[i]->type == REDIS_REPLY_INTEGER ? replies[i]->integer : 0;
	redis_replies_free(replies, n);
	mem_free(replies);
	mem_free(commands);
	return ok;
}

bool redis_stream_add(struct redis *r, const char *key, const char *id, int64_t keep, const char *const *fields, int pairs)
{
	char *most = mem_printf(r, "%lld", (long long)keep);
	struct line l = line_new(r, 2 * pairs + 6);
	redisReply *reply = NULL;
	bool ok;

	line_add(&l, "XADD");
	line_add(&l, key);
	line_add(&l, "MAXLEN");
	line_add(&l, "~");
	line_add(&l, most);
	line_add(&l, id);
	for (int i = 0; i < 2 * pairs; i++)
		line_add(&l, fields[i]);
	ok = line_run(r, &l, 0, &reply);
	redis_replies_free(&reply, 1);
	mem_free(most);
	return ok;
}

/* One step, since what is asked and then done may have a restart, a flush or another one's entry in between. */
static const char follow[] =
	"local e = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]\n"
	"local last = e and tonumber(string.match(e[1], '^%d+')) or 0\n"
	"local n = tonumber(ARGV[1])\n"
	"if n <= last or (n ~= last + 1 and ARGV[2] ~= '1') then return last end\n"
	"redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], ARGV[1] .. '-0', unpack(ARGV, 4))\n"
	"return n\n";

bool redis_stream_follow(struct redis *r, const char *key, int64_t number, bool jump, int64_t keep, const char *const *fields,
	int pairs, int64_t *last)
{
	char *most = mem_printf(r, "%lld", (long long)keep), *id = mem_printf(r, "%lld", (long long)number);
	struct line l = line_new(r, 2 * pairs + 7);
	redisReply *reply = NULL;
	bool ok;

	line_add(&l, "EVAL");
	line_add(&l, follow);
	line_add(&l, "1");
	line_add(&l, key);
	line_add(&l, id);
	line_add(&l, jump ? "1" : "0");
	line_add(&l, most);
	for (int i = 0; i < 2 * pairs; i++)
		line_add(&l, fields[i]);
	ok = line_run(r, &l, 0, &reply) && reply->type == REDIS_REPLY_INTEGER;
	*last = ok ? reply->integer : 0;
	redis_replies_free(&reply, 1);
	mem_free(most);
	mem_free(id);
	return ok;
}

bool redis_stream_last(struct redis *r, const char *key, int64_t *last)
{
	const struct redis_words command = { .count = 6, .word = { "XREVRANGE", key, "+", "-", "COUNT", "1" } };
	redisReply *reply = NULL;
	bool ok = redis_run(r, &command, 1, 0, &reply);

	*last = -1;
	if (ok && reply->type == REDIS_REPLY_ARRAY && reply->elements == 1 && reply->element[0]->elements == 2) {
		char *id = mem_strdup(r, reply->element[0]->element[0]->str);

		id[strcspn(id, "-")] = 0;
		ok = str_to_int(id, 0, INT64_MAX, last);
		mem_free(id);
	}
	redis_replies_free(&reply, 1);
	return ok;
}
