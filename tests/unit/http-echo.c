/*
 * A server that says back what it understood, for test_http_server: the real master and workers of src/http, with handlers that
 * sleep, crash, hang or answer much when told to.
 *
 *	http-echo WEB_SOCKET AUTH_SOCKET WORKERS WORKER_REQUESTS TIMEOUT_S
 *
 * A file WEB_SOCKET.refuse makes a reload refused, WEB_SOCKET.broken makes new workers fail to start. The auth pool crashes
 * at start while AUTH_SOCKET.crash is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/metrics.h"
#include "http/server.h"

static const char *web_socket, *auth_socket;
static int generation;

static bool there(const char *path, const char *ending)
{
	char name[256];

	snprintf(name, sizeof(name), "%s.%s", path, ending);
	return access(name, F_OK) == 0;
}

static void member(struct buf *out, const char *name, const char *value)
{
	buf_putc(out, out->len ? ',' : '{');
	buf_json_str(out, name, strlen(name));
	buf_putc(out, ':');
	if (value)
		buf_json_str(out, value, strlen(value));
	else
		buf_puts(out, "null");
}

static void echo(struct request *rq)
{
	struct buf out;

	buf_init(&out, rq->mem);
	member(&out, "method", rq->method_text);
	member(&out, "path", rq->path);
	member(&out, "raw_query", rq->raw_query);
	member(&out, "type", rq->content_type);
	member(&out, "body", rq->body);
	member(&out, "host", rq->host);
	member(&out, "accept", request_header(rq, "Accept"));
	member(&out, "cookie", request_cookie(rq, "c"));
	member(&out, "id", rq->id);
	for (size_t i = 0; i < rq->query.count; i++)
		member(&out, mem_printf(rq->mem, "q_%s", rq->query.items[i].name), rq->query.items[i].value);
	buf_putc(&out, '}');
	res_body(rq, 200, "application/json", out.data, out.len);
}

static int64_t number(const struct request *rq)
{
	int64_t n = 0;
	const char *text = pairs_get(&rq->query, "n");

	return text && str_to_int(text, 0, INT32_MAX, &n) ? n : 0;
}

static void nap(int64_t ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) != 0)
		;
}

static void answer_pid(struct request *rq)
{
	const char *text = mem_printf(rq->mem, "%d %d", (int)getpid(), generation);

	res_body(rq, 200, "text/plain", text, strlen(text));
}

static void answer_big(struct request *rq)
{
	size_t n = (size_t)number(rq);
	char *text = mem_array(rq->mem, char, n);

	for (size_t i = 0; i < n; i++)
		text[i] = (char)('a' + i % 26);
	res_header(rq, "Cache-Control", "max-age=60");
	res_body(rq, 200, "text/plain", text, n);
}

static void answer_descriptors(struct request *rq)
{
	int open = 0;
	char *text;

	for (int fd = 0; fd < 256; fd++) {
		char name[64];

		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		open += access(name, F_OK) == 0;
	}
	text = mem_printf(rq->mem, "%d", open);
	res_body(rq, 200, "text/plain", text, strlen(text));
}

static void answer_metrics(struct request *rq)
{
	struct buf out;

	buf_init(&out, rq->mem);
	metrics_write(&out);
	res_body(rq, 200, "text/plain", out.data, out.len);
}

static void handle(void *worker, struct request *rq)
{
	(void)worker;
	rq->route = "echo";
	if (str_eq(rq->path, "/pid"))
		answer_pid(rq);
	else if (str_eq(rq->path, "/crash"))
		abort();
	else if (str_eq(rq->path, "/sleep")) {
		nap(number(rq));
		answer_pid(rq);
	} else if (str_eq(rq->path, "/hang")) {
		for (;;)
			nap(1000);
	} else if (str_eq(rq->path, "/big"))
		answer_big(rq);
	else if (str_eq(rq->path, "/nothing"))
		rq->route = "nothing";
	else if (str_eq(rq->path, "/empty"))
		res_body(rq, 204, NULL, "", 0);
	else if (str_eq(rq->path, "/descriptors"))
		answer_descriptors(rq);
	else if (str_eq(rq->path, "/metrics"))
		answer_metrics(rq);
	else
		echo(rq);
}

static bool reload(void *arg)
{
	(void)arg;
	if (there(web_socket, "refuse"))
		return false;
	generation++;
	return true;
}

static void reloaded(void *arg, bool well)
{
	(void)arg;
	if (!well)
		generation--;
}

static void *worker_start(void *arg, const char *pool)
{
	if (str_eq(pool, "auth") && there(auth_socket, "crash"))
		abort();
	return there(web_socket, "broken") ? NULL : arg;
}

int main(int argc, char **argv)
{
	static const char *const routes[] = { "echo", "nothing" };
	int64_t workers, requests, timeout_s;
	struct http_pool pools[2];
	struct http_server server;

	if (argc != 6 || !str_to_int(argv[3], 1, 100, &workers) || !str_to_int(argv[4], 0, INT32_MAX, &requests) ||
		!str_to_int(argv[5], 1, 100, &timeout_s)) {
		fprintf(stderr, "usage: http-echo WEB_SOCKET AUTH_SOCKET WORKERS WORKER_REQUESTS TIMEOUT_S\n");
		return 2;
	}
	web_socket = argv[1];
	auth_socket = argv[2];
	log_init("http-echo", LOG_INFO_);
	metrics_init(routes, 2);
	pools[0] = (struct http_pool){ .name = "web", .socket = web_socket, .workers = (int)workers };
	pools[1] = (struct http_pool){ .name = "auth", .socket = auth_socket, .workers = 1 };
	server = (struct http_server){
		.pools = pools,
		.npools = 2,
		.worker_requests = requests,
		.worker_timeout_s = timeout_s,
		.arg = &server,
		.reload = reload,
		.reloaded = reloaded,
		.worker_start = worker_start,
		.handle = handle,
	};
	return http_serve(&server);
}
