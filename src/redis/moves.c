/*
 * Lists whose items must not be lost between two hands: moved to a list of the one who takes them, and dropped there when they are
 * done with. And answers: kept for whoever asks later, told at once to whoever waits. Items are bytes, since who wrote them is
 * not us. See redis.h.
 */
#include <string.h>

#include "base/mem.h"
#include "redis/redis_private.h"

bool redis_move(struct redis *r, const char *const *from, int nfrom, const char *to, int most)
{
	struct redis_words *commands = mem_array(r, struct redis_words, (size_t)most);
	redisReply **replies = mem_array(r, redisReply *, (size_t)most);
	int64_t *lengths = mem_array(r, int64_t, (size_t)nfrom);
	bool ok = redis_lengths(r, from, nfrom, lengths);
	int n = 0;

	for (int i = 0; ok && i < nfrom; i++)
		for (int64_t k = 0; k < lengths[i] && n < most; k++)
			commands[n++] = (struct redis_words){ .count = 5, .word = { "LMOVE", from[i], to, "RIGHT", "LEFT" } };
	if (n) {
		ok = redis_run(r, commands, n, 0, replies);
		redis_replies_free(replies, n);
	}
	mem_free(lengths);
	mem_free(replies);
	mem_free(commands);
	return ok;
}

bool redis_last(struct redis *r, void *mem, const char *key, int most, struct redis_item **items, int *n)
{
	char *first = mem_printf(r, "-%d", most);
	const struct redis_words range = { .count = 4, .word = { "LRANGE", key, first, "-1" } };
	redisReply *reply = NULL;
	bool ok = redis_run(r, &range, 1, 0, &reply);

	*n = 0;
	*items = NULL;
	if (ok && reply->type == REDIS_REPLY_ARRAY && reply->elements) {
		*items = mem_array(mem, struct redis_item, reply->elements);
		for (size_t i = reply->elements; i-- > 0;) {
			const redisReply *one = reply->element[i];

			(*items)[(*n)++] = (struct redis_item){ .data = memcpy(mem_array(mem, char, one->len + 1), one->str, one->len),
				.len = one->len };
		}
	}
	redis_replies_free(&reply, 1);
	mem_free(first);
	return ok;
}

bool redis_drop(struct redis *r, const char *key, const struct redis_item *item, int64_t *dropped)
{
	const char *words[] = { "LREM", key, "-1", item->data };
	const size_t lens[] = { 4, strlen(key), 2, item->len };
	const struct redis_words command = { .count = 4, .words = words, .lens = lens };
	redisReply *reply = NULL;
	bool ok = redis_run(r, &command, 1, 0, &reply);

	*dropped = ok && reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
	redis_replies_free(&reply, 1);
	return ok;
}

bool redis_push_first(struct redis *r, const char *key, const char *item)
{
	const struct redis_words push = { .count = 3, .word = { "LPUSH", key, item } };
	redisReply *reply = NULL;
	bool ok = redis_run(r, &push, 1, 0, &reply);

	redis_replies_free(&reply, 1);
	return ok;
}

bool redis_answer(struct redis *r, const char *key, const char *value, int64_t ttl_s)
{
	char *ttl = mem_printf(r, "%lld", (long long)ttl_s);
	const struct redis_words commands[] = {
		{ .count = 1, .word = { "MULTI" } },
		{ .count = 5, .word = { "SET", key, value, "EX", ttl } },
		{ .count = 3, .word = { "PUBLISH", key, value } },
		{ .count = 1, .word = { "EXEC" } },
	};
	redisReply *replies[4] = { 0 };
	bool ok = redis_run(r, commands, 4, 0, replies) && replies[3]->type == REDIS_REPLY_ARRAY;

	redis_replies_free(replies, 4);
	mem_free(ttl);
	return ok;
}
