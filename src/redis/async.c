/*
 * hiredis' asynchronous half, behind callbacks of our own; see async.h.
 *
 * hiredis frees a context by itself when it is lost, and inside one of its callbacks only after that has returned. So a
 * context that is gone for us is told from the one in use by comparing the two, and nothing is done on its behalf.
 */
#include "redis/async.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct redis_async {
	const char *url;
	struct redis_hooks hooks;
	redisAsyncContext *link; /* NULL while there is none */
	bool reads, writes;
	struct pending *subscribed; /* outlives its messages */
};

struct pending {
	redis_answer *fn;
	void *arg;
};

static void watch(struct redis_async *r, bool reads, bool writes)
{
	if (!r->link || (r->reads == reads && r->writes == writes))
		return;
	r->reads = reads;
	r->writes = writes;
	r->hooks.watch(r->hooks.arg, r->link->c.fd, reads, writes);
}

static void add_read(void *arg)
{
	struct redis_async *r = arg;

	watch(r, true, r->writes);
}

static void del_read(void *arg)
{
	struct redis_async *r = arg;

	watch(r, false, r->writes);
}

static void add_write(void *arg)
{
	struct redis_async *r = arg;

	watch(r, r->reads, true);
}

static void del_write(void *arg)
{
	struct redis_async *r = arg;

	watch(r, r->reads, false);
}

static void cleanup(void *arg)
{
	watch(arg, false, false);
}

static void lost(const redisAsyncContext *link, const char *why)
{
	struct redis_async *r = link->data;

	if (r->link != link)
		return;
	watch(r, false, false);
	r->link = NULL;
	r->hooks.down(r->hooks.arg, why && *why ? why : "the connection was lost");
}

static void on_connect(const redisAsyncContext *link, int status)
{
	struct redis_async *r = link->data;

	if (status != REDIS_OK)
		lost(link, link->c.errstr);
	else if (r->link == link)
		r->hooks.up(r->hooks.arg);
}

static void on_disconnect(const redisAsyncContext *link, int status)
{
	lost(link, status == REDIS_OK ? "" : link->c.errstr);
}

static int async_fini(struct redis_async *r)
{
	redis_async_close(r);
	return 0;
}

struct redis_async *redis_async_new(void *mem, const char *url, const struct redis_hooks *hooks)
{
	struct redis_async *r = mem_new(mem, struct redis_async);

	r->url = mem_strdup(r, url);
	r->hooks = *hooks;
	talloc_set_destructor(r, async_fini);
	return r;
}

/* HOST:PORT, [v6]:PORT. */
static redisAsyncContext *connect_tcp(struct redis_async *r)
{
	const char *colon = strrchr(r->url, ':'), *host = r->url;
	size_t len = colon ? (size_t)(colon - host) : 0;
	redisAsyncContext *link;
	int64_t port;
	char *name;

	if (!colon || !str_to_int(colon + 1, 1, 65535, &port))
		return NULL;
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	name = mem_strndup(r, host, len);
	link = redisAsyncConnect(name, (int)port);
	mem_free(name);
	return link;
}

bool redis_async_connect(struct redis_async *r, const char **why)
{
	redisAsyncContext *link = str_starts(r->url, "unix:") ? redisAsyncConnectUnix(r->url + 5) : connect_tcp(r);

	if (!link) {
		*why = "redis_url is neither unix:PATH nor HOST:PORT";
		return false;
	}
	if (link->err) {
		*why = mem_strdup(r, link->errstr);
		redisAsyncFree(link);
		return false;
	}
	r->link = link;
	r->reads = r->writes = false;
	link->data = r;
	link->ev.data = r;
	link->ev.addRead = add_read;
	link->ev.delRead = del_read;
	link->ev.addWrite = add_write;
	link->ev.delWrite = del_write;
	link->ev.cleanup = cleanup;
	redisAsyncSetConnectCallback(link, on_connect);
	redisAsyncSetDisconnectCallback(link, on_disconnect);
	return true;
}

void redis_async_close(struct redis_async *r)
{
	redisAsyncContext *link = r->link;

	if (!link)
		return;
	watch(r, false, false);
	r->link = NULL;
	redisAsyncFree(link);
}

void redis_async_readable(struct redis_async *r)
{
	if (r->link)
		redisAsyncHandleRead(r->link);
}

void redis_async_writable(struct redis_async *r)
{
	if (r->link)
		redisAsyncHandleWrite(r->link);
}

static void on_reply(redisAsyncContext *link, void *reply, void *arg)
{
	struct pending *p = arg;
	struct redis_async *r = link->data;

	if (p == r->subscribed) {
		if (reply && r->link == link)
			p->fn(p->arg, reply);
		return;
	}
	p->fn(p->arg, reply);
	mem_free(p);
}

bool redis_async_send(struct redis_async *r, redis_answer *fn, void *arg, int argc, const char *const *argv)
{
	struct pending *p;

	if (!r->link)
		return false;
	p = mem_new(r, struct pending);
	*p = (struct pending){ .fn = fn, .arg = arg };
	if (str_eq(argv[0], "SUBSCRIBE")) {
		mem_free(r->subscribed);
		r->subscribed = p;
	}
	if (redisAsyncCommandArgv(r->link, on_reply, p, argc, (const char **)(uintptr_t)argv, NULL) == REDIS_OK)
		return true;
	if (p == r->subscribed)
		r->subscribed = NULL;
	mem_free(p);
	return false;
}

static const redisReply *reply_of(const struct redis_value *v)
{
	return (const redisReply *)(const void *)v;
}

enum redis_kind redis_kind_of(const struct redis_value *v)
{
	switch (v ? reply_of(v)->type : REDIS_REPLY_NIL) {
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
		return REDIS_TEXT;
	case REDIS_REPLY_INTEGER:
		return REDIS_INT;
	case REDIS_REPLY_ARRAY:
		return REDIS_LIST;
	case REDIS_REPLY_ERROR:
		return REDIS_ERROR;
	default:
		return REDIS_NIL;
	}
}

const char *redis_text(const struct redis_value *v, size_t *len)
{
	enum redis_kind kind = redis_kind_of(v);

	if (kind != REDIS_TEXT && kind != REDIS_ERROR)
		return NULL;
	if (len)
		*len = (size_t)reply_of(v)->len;
	return reply_of(v)->str;
}

int64_t redis_int(const struct redis_value *v)
{
	return redis_kind_of(v) == REDIS_INT ? reply_of(v)->integer : 0;
}

size_t redis_items(const struct redis_value *v)
{
	return redis_kind_of(v) == REDIS_LIST ? reply_of(v)->elements : 0;
}

const struct redis_value *redis_item(const struct redis_value *v, size_t i)
{
	return i < redis_items(v) ? (const struct redis_value *)(const void *)reply_of(v)->element[i] : NULL;
}
