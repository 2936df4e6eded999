#ifndef STINT_HTTP_SERVER_H
#define STINT_HTTP_SERVER_H
/*
 * Master and pre-forked workers over FastCGI sockets, in named pools. The master owns the listening
 * sockets (made here, or handed over by systemd and matched by FileDescriptorName = pool name), never
 * talks to a database, and only forks, watches and reaps:
 *   SIGTERM, SIGINT  workers finish the request in hand and leave; the master repeats the signal until they are gone
 *   SIGHUP           reload() is called in the master; when it says yes new workers start, then old ones are told to leave.
 *                    reloaded() tells it how that ended: all new workers are up, or the old ones stay
 *   a dead worker    is replaced within 200 ms; dying at once again and again backs off (doubling to 5 s)
 *   a worker stuck past worker_timeout_s in one request is killed and replaced
 */
#include "http/request.h"

struct http_pool {
	const char *name;   /* "web", "auth" */
	const char *socket; /* path */
	int workers;
};

struct http_server {
	const struct http_pool *pools;
	int npools;
	int64_t worker_requests; /* recycle after so many (with a spread of ±10 %), 0 never */
	int64_t worker_timeout_s;
	size_t max_body; /* bytes; 0 means 1 MiB */
	void *arg;
	bool (*reload)(void *arg);                          /* in the master, before forking a new generation */
	void (*reloaded)(void *arg, bool well);             /* in the master; once for each reload that said yes, or NULL */
	void *(*worker_start)(void *arg, const char *pool); /* in the worker; NULL return ends it as a failed start */
	void (*handle)(void *worker, struct request *rq);   /* fills rq->res */
	void (*worker_stop)(void *worker);
};

/* Returns the exit status of the program. */
int http_serve(const struct http_server *server);

#endif
