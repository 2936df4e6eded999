/* Reading "default:2,mail+outside:1": pools of runners, each with its queues and its number of children. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "queue/crew.h"

enum { POOLS_MOST = 32, CHILDREN_MOST = 256, NAME_MOST = 63 };

static bool is_name(const char *s, size_t len)
{
	if (len < 1 || len > NAME_MOST || s[0] < 'a' || s[0] > 'z')
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-") >= len;
}

static bool read_queues(struct pool *pool, void *mem, const char *s, size_t len)
{
	const char *end = s + len;

	while (s < end) {
		size_t n = strcspn(s, "+:,");

		if (s + n > end || !is_name(s, n) || pool->nqueues == (int)(sizeof(pool->queues) / sizeof(*pool->queues)))
			return false;
		pool->queues[pool->nqueues++] = mem_strndup(mem, s, n);
		s += n;
		if (s < end && *s == '+' && ++s == end)
			return false;
	}
	return pool->nqueues > 0;
}

static bool read_pool(struct pool *pool, void *mem, const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	size_t names = colon ? (size_t)(colon - s) : len;
	int64_t children = 1;

	if (colon && !str_to_int(mem_strndup(mem, colon + 1, len - names - 1), 1, CHILDREN_MOST, &children))
		return false;
	pool->children = (int)children;
	return read_queues(pool, mem, s, names);
}

struct pool *pools_parse(void *mem, const char *text, int *n, const char **why)
{
	struct pool *pools = mem_array(mem, struct pool, POOLS_MOST);

	for (*n = 0; *n < POOLS_MOST; text++) {
		size_t len = strcspn(text, ",");

		if (!read_pool(&pools[*n], pools, text, len)) {
			*why = mem_printf(mem, "queues: \"%.*s\" is not like mail:2 or mail+default:3", (int)len, text);
			return NULL;
		}
		++*n;
		text += len;
		if (!*text)
			return pools;
	}
	*why = "queues: there are more than 32 pools";
	return NULL;
}

const char *pools_choose(void *mem, const char *given, const char *configured)
{
	size_t names = given ? strlen(given) : 0;

	if (!given || str_eq(given, "all"))
		return configured;
	for (const char *p = configured; *p && !strpbrk(given, ":,"); p += *p == ',') {
		size_t len = strcspn(p, ",");

		if (strcspn(p, ":,") == names && strncmp(p, given, names) == 0)
			return mem_strndup(mem, p, len);
		p += len;
	}
	return given;
}
