/* See throttle.h. Keys hold hashes, never addresses of people. */
#include "app/throttle.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"

#define WINDOW_S (15 * 60)

/* /24 of IPv4, /64 of IPv6: what one household or host usually has. */
static const char *network_of(struct call *c)
{
	const char *addr = c->rq->remote_addr ? c->rq->remote_addr : "";
	int groups = strchr(addr, ':') ? 4 : 3;
	char mark = groups == 4 ? ':' : '.';
	const char *p = addr;

	for (; *p; p++) {
		if (*p == mark && --groups == 0)
			break;
	}
	return mem_strndup(c->rq->mem, addr, (size_t)(p - addr));
}

static const char *key_pair(struct call *c, const char *what, const char *account)
{
	const char *who = mac(c->rq->mem, c->app->conf->secret_key, "throttle",
		mem_printf(c->rq->mem, "%s\n%s", account, network_of(c)));

	return mem_printf(c->rq->mem, "stint:throttle:%s:%.22s", what, who);
}

static const char *key_network(struct call *c, const char *what)
{
	return mem_printf(c->rq->mem, "stint:throttle:%s-net:%s", what, network_of(c));
}

static enum err refuse_for(struct call *c, int64_t left_s)
{
	res_header(c->rq, "Retry-After",
		mem_printf(c->rq->mem, "%lld", (long long)(left_s > 0 ? left_s : 1)));
	return fail(c, ERR_RATE_LIMIT, NULL);
}

static enum err check_in_memory(struct call *c)
{
	const char *net = network_of(c);
	struct limit_state s = limits_take(c->app->signin_limits, net, strlen(net));

	return s.refused ? refuse_for(c, s.reset_s) : OK;
}

enum err throttle_check(struct call *c, const char *what, const char *account)
{
	const struct conf *conf = c->app->conf;
	int64_t tries = 0, left_s = 0;

	if (!redis_peek(c->worker->redis, key_pair(c, what, account), &tries, &left_s))
		return check_in_memory(c);
	if (tries >= conf->signin_tries)
		return refuse_for(c, left_s);
	if (redis_peek(c->worker->redis, key_network(c, what), &tries, &left_s) &&
		tries >= conf->signin_network_tries)
		return refuse_for(c, left_s);
	return OK;
}

void throttle_count(struct call *c, const char *what, const char *account)
{
	int64_t n, left_s;

	if (redis_count(c->worker->redis, key_pair(c, what, account), WINDOW_S, &n, &left_s))
		redis_count(c->worker->redis, key_network(c, what), WINDOW_S, &n, &left_s);
}

void throttle_forget(struct call *c, const char *what, const char *account)
{
	redis_forget(c->worker->redis, key_pair(c, what, account));
}
