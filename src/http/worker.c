/*
 * A worker: accepts, reads, has the request handled, answers, logs, forgets; again and again until it is told to leave
 * or has done its share.
 *
 * A request costs accept, one look, one read, one write, a close and the write of its log line, beside what the handler
 * needs. What the master must know goes through the slot. Signals only set flags: SIGTERM (and SIGALRM, by which a worker reminds
 * itself if the signal came in the instant before it began to wait) ends the loop after the request in hand, SIGUSR2
 * ends the waiting for a peer that sends nothing more.
 */
#include "http/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "http/answer.h"
#include "http/conn.h"
#include "http/metrics.h"
#include "http/parse.h"

#define MAX_BODY_DEFAULT ((size_t)1024 * 1024)
#define TEXT 32

static volatile bool told_to_leave, told_to_give_up;

struct worker {
	const struct http_server *server;
	const char *pool;
	struct slot *slot;
	struct conn *conn;
	void *state; /* what worker_start gave */
	size_t max_body;
};

static void on_leave(int signo)
{
	(void)signo;
	told_to_leave = true;
	alarm(1); /* again, in case nobody was waiting yet */
}

static void on_give_up(int signo)
{
	(void)signo;
	told_to_give_up = true;
}

static void set_handler(int signo, void (*handler)(int))
{
	struct sigaction act = { .sa_handler = handler }; /* no SA_RESTART: waiting must end */

	sigemptyset(&act.sa_mask);
	sigaction(signo, &act, NULL);
}

static void set_signals(const sigset_t *mask)
{
	set_handler(SIGTERM, on_leave);
	set_handler(SIGALRM, on_leave);
	set_handler(SIGUSR2, on_give_up);
	/* A terminal sends these to the whole group; the master decides. */
	set_handler(SIGINT, SIG_IGN);
	set_handler(SIGHUP, SIG_IGN);
	set_handler(SIGPIPE, SIG_IGN);
	set_handler(SIGUSR1, SIG_IGN);
	set_handler(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
}

static void log_request(const struct request *rq, int64_t took_us, size_t bytes, const char *why)
{
	char status[TEXT], ms[TEXT], size[TEXT];
	const char *keys[5] = { NULL }, *values[5] = { NULL };
	int n = 0;

	snprintf(status, sizeof(status), "%d", rq->res.status);
	snprintf(ms, sizeof(ms), "%lld.%03lld", (long long)(took_us / 1000), (long long)(took_us % 1000));
	snprintf(size, sizeof(size), "%zu", bytes);
	if (rq->organization_id) {
		keys[n] = "organization";
		values[n++] = rq->organization_id;
	}
	if (rq->member_id) {
		keys[n] = "member";
		values[n++] = rq->member_id;
	}
	if (rq->error) {
		keys[n] = "error";
		values[n++] = rq->error;
	}
	if (why) {
		keys[n] = "why";
		values[n++] = why;
	}
	/* The first key that is NULL ends the line. */
	log_info("request", "method", rq->method_text, "path", rq->path, "route", rq->route, "status", status, "ms", ms,
		"bytes", size, keys[0], values[0], keys[1], values[1], keys[2], values[2], keys[3], values[3], NULL);
}

/* Everything that a handler may rely on; else what is wrong. */
static enum err read_request(struct worker *w, struct request *rq, const char **why)
{
	enum err e = conn_params(w->conn, rq->mem, &rq->params);
	size_t len;

	*why = "the parameters could not be read";
	if (e)
		return e;
	e = request_parse(rq, w->max_body, &len, why);
	if (e)
		return e;
	rq->body = conn_body(w->conn, rq->mem, len);
	*why = "the body is not as long as was said";
	if (!rq->body)
		return ERR_MALFORMED;
	rq->body_len = len;
	*why = NULL;
	return OK;
}

static void handle(struct worker *w, struct request *rq)
{
	slot_set(w->slot, SLOT_HANDLING, rq->started_us);
	log_set_request(rq->id);
	w->server->handle(w->state, rq);
	if (rq->res.status < 200) {
		log_error("the handler gave no answer", "route", rq->route, NULL);
		answer_problem(rq, ERR_INTERNAL);
	}
}

static void refuse(struct request *rq, enum err e)
{
	if (!rq->id) {
		char *id = mem_array(rq->mem, char, UUID_TEXT);

		uuid_v7(id);
		rq->id = id;
	}
	log_set_request(rq->id);
	metrics_count("requests_refused");
	answer_problem(rq, e);
}

static void finish(struct worker *w, struct request *rq, const char *why)
{
	struct buf head;
	bool with_body;
	int64_t took_us;
	size_t bytes;

	buf_init(&head, rq->mem);
	answer_head(rq, &head, &with_body);
	bytes = conn_answer(w->conn, &head, rq->res.body.data, with_body ? rq->res.body.len : 0);
	took_us = clock_monotonic_us() - rq->started_us;
	conn_close(w->conn);
	log_request(rq, took_us, bytes, why);
	metrics_request(rq, took_us);
	log_set_request(NULL);
}

static void serve(struct worker *w, struct request *rq)
{
	enum conn_result result = conn_start(w->conn, &told_to_give_up);
	const char *why = conn_fault(w->conn)->why;
	enum err e;

	if (result == CONN_GONE) {
		log_warn("connection dropped", "why", why, NULL);
		conn_close(w->conn);
		return;
	}
	e = result == CONN_REQUEST ? read_request(w, rq, &why) : conn_fault(w->conn)->err;
	if (e)
		refuse(rq, e);
	else
		handle(w, rq);
	finish(w, rq, why);
}

static void work(struct worker *w, uint64_t share)
{
	for (uint64_t done = 0; !told_to_leave && (share == 0 || done < share);) {
		struct request rq;
		void *mem;

		if (!conn_accept(w->conn))
			continue;
		mem = mem_root("request");
		request_init(&rq, mem);
		rq.started_us = clock_monotonic_us();
		slot_set(w->slot, SLOT_READING, rq.started_us);
		told_to_give_up = false;
		serve(w, &rq);
		mem_free(mem);
		done++;
		atomic_store_explicit(&w->slot->requests, done, memory_order_relaxed);
		slot_set(w->slot, SLOT_IDLE, 0);
	}
}

/* Not all at once: what a worker does before it is replaced differs by up to a tenth. */
static uint64_t share_of(int64_t worker_requests)
{
	uint64_t n = worker_requests > 0 ? (uint64_t)worker_requests : 0;

	if (n < 10)
		return n;
	return n - n / 10 + (uint64_t)getpid() * 2654435761u % (n / 5 + 1);
}

static void set_title(const char *pool)
{
	char title[16]; /* as long as the kernel keeps */

	snprintf(title, sizeof(title), "stint %s", pool);
	prctl(PR_SET_NAME, title);
}

void worker_run(const struct http_server *server, int pool, int listen_fd, struct slot *slot, const sigset_t *mask)
{
	void *mem = mem_root("worker");
	struct worker w = {
		.server = server,
		.pool = server->pools[pool].name,
		.slot = slot,
		.max_body = server->max_body ? server->max_body : MAX_BODY_DEFAULT,
	};
	pid_t master = getppid();
	char pid[TEXT];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	set_title(w.pool);
	w.conn = conn_new(mem, listen_fd, w.max_body);
	set_signals(mask); /* after libfcgi has set its own */
	w.state = server->worker_start(server->arg, w.pool);
	if (!w.state) {
		log_error("worker could not start", "pool", w.pool, "pid", pid, NULL);
		_exit(WORKER_NOT_STARTED);
	}
	slot_set(slot, SLOT_IDLE, 0);
	log_debug("worker up", "pool", w.pool, "pid", pid, NULL);
	kill(master, SIGUSR1);
	work(&w, share_of(server->worker_requests));
	if (server->worker_stop)
		server->worker_stop(w.state);
	log_debug("worker leaves", "pool", w.pool, "pid", pid, NULL);
	mem_free(mem);
	_exit(WORKER_LEFT);
}
