/* See throttle.h. Keys hold hashes, never addresses of people. */
#include "app/throttle.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

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

/*
 * An address is the same account in any case, so another spelling buys no further tries. Not ASCII alone: the database's
 * lower() also takes the Kelvin sign for a k.
 */
static const char *account_of(void *mem, const char *account)
{
	static locale_t utf8;
	size_t size = strlen(account) + 1, out_size = size * sizeof(wchar_t), len;
	wchar_t *wide = mem_array(mem, wchar_t, size);
	char *out = mem_array(mem, char, out_size);
	locale_t before;

	if (!utf8)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (!utf8)
		return account;
	before = uselocale(utf8);
	len = mbstowcs(wide, account, size);
	for (size_t i = 0; len != (size_t)-1 && i < len; i++)
		wide[i] = (wchar_t)towlower((wint_t)wide[i]);
	if (len != (size_t)-1)
		len = wcstombs(out, wide, out_size);
	uselocale(before);
	return len == (size_t)-1 ? account : out;
}

static const char *key_pair(struct call *c, const char *what, const char *account)
{
	const char *who = mac(c->rq->mem, c->app->conf->secret_key, "throttle",
		mem_printf(c->rq->mem, "%s\n%s", account_of(c->rq->mem, account), network_of(c)));

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
