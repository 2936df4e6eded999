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
#include "redis/address.h"

struct redis_async {
	struct redis_address address;
	const char *fault; /* of redis_url; no connection is tried */
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

static void on_introduced(void *arg, const struct redis_value *v)
{
	struct redis_async *r = arg;
	const char *why = redis_kind_of(v) == REDIS_ERROR ? mem_strdup(r, redis_text(v, NULL)) : NULL;

	if (!why || !r->link)
		return;
	redis_async_close(r);
	r->hooks.down(r->hooks.arg, why);
}

/* Who we are and which database is meant goes ahead of everything else; a refusal ends the connection. */
static void introduce(struct redis_async *r)
{
	const struct redis_address *a = &r->address;
	char *db = mem_printf(r, "%d", a->db);

	if (a->user)
		redis_async_send(r, on_introduced, r, 3, (const char *const[]){ "AUTH", a->user, a->password ? a->password : "" });
	else if (a->password)
		redis_async_send(r, on_introduced, r, 2, (const char *const[]){ "AUTH", a->password });
	if (a->db)
		redis_async_send(r, on_introduced, r, 2, (const char *const[]){ "SELECT", db });
	mem_free(db);
}

static void on_connect(const redisAsyncContext *link, int status)
{
	struct redis_async *r = link->data;

	if (status != REDIS_OK)
		lost(link, link->c.errstr);
	if (status != REDIS_OK || r->link != link)
		return;
	introduce(r);
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

struct redis_async *redis_async_new(void *mem, const char *url, const char *password, const struct redis_hooks *hooks)
{
	struct redis_async *r = mem_new(mem, struct redis_async);

	r->fault = redis_address_read(r, url, password, &r->address);
	r->hooks = *hooks;
	talloc_set_destructor(r, async_fini);
	return r;
}

bool redis_async_connect(struct redis_async *r, const char **why)
{
	const struct redis_address *a = &r->address;
	redisAsyncContext *link;

	*why = r->fault;
	if (r->fault)
		return false;
	link = a->path ? redisAsyncConnectUnix(a->path) : redisAsyncConnect(a->host, a->port);
	if (!link) {
		*why = "out of memory";
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
