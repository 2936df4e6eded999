/*
 * stint-web: configuration, wiring, run. The master reads everything once; workers share it.
 *
 * A reload reads everything anew beside what is there, and one of the two goes when it is known which is to stay: the
 * workers, being forked, have copies of their own. What outlasts reloads (names of sockets and counters) must never
 * point into either.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/app.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "features/features.h"
#include "http/metrics.h"
#include "http/server.h"

struct loaded {
	void *mem; /* all of it */
	struct app *app;
};

struct program {
	const char *conf_file;
	struct loaded now, before; /* before: while a reload is under way */
};

/* Names of all routes, for the counters: made before forking, so that workers share them. */
static void count_routes(void *mem, const struct app *app)
{
	int n;
	const struct face *faces = routes_faces(app->routes, &n);
	const char **names = mem_array(mem, const char *, (size_t)n);

	for (int i = 0; i < n; i++)
		names[i] = faces[i].route->name;
	metrics_init(names, n);
}

static void log_as(const struct app *app)
{
	log_init("stint-web", log_level_of(app->conf->log_level));
}

static bool program_load(struct program *p)
{
	const char *why = NULL;
	void *mem = mem_root("program");
	const struct conf *conf = conf_load(mem, p->conf_file, &why);
	struct app *app = conf ? app_new(mem, conf, feature_tables, p->now.app, &why) : NULL;

	if (!app) {
		log_error("not started", "why", why ? why : "", NULL);
		mem_free(mem);
		return false;
	}
	log_as(app);
	p->before = p->now;
	p->now = (struct loaded){ .mem = mem, .app = app };
	return true;
}

static bool reload(void *arg)
{
	return program_load(arg);
}

static void reloaded(void *arg, bool well)
{
	struct program *p = arg;
	struct loaded gone = well ? p->before : p->now;

	if (!well)
		p->now = p->before;
	p->before = (struct loaded){ NULL };
	log_as(p->now.app);
	mem_free(gone.mem);
}

static void *worker_start(void *arg, const char *pool)
{
	struct program *p = arg;

	/* A password takes a tenth of a second of a core: those who are signed in must not wait for it. */
	if (str_eq(pool, "auth"))
		proc_yield();
	return worker_new(mem_root("worker"), p->now.app, pool);
}

static void handle(void *worker, struct request *rq)
{
	app_handle(worker, rq);
}

static void worker_stop(void *worker)
{
	mem_free(worker);
}

static int run(struct program *p)
{
	void *mem = mem_root("server");
	const struct conf *conf = p->now.app->conf;
	int cores = proc_cores(), status;
	const struct http_pool pools[] = {
		{ "web", mem_strdup(mem, conf->web_socket), conf->web_workers ? (int)conf->web_workers : 4 * cores },
		{ "auth", mem_strdup(mem, conf->auth_socket), conf->auth_workers ? (int)conf->auth_workers : cores },
	};
	const struct http_server server = {
		.pools = pools,
		.npools = 2,
		.worker_requests = conf->worker_requests,
		.worker_timeout_s = conf->worker_timeout_s,
		.arg = p,
		.reload = reload,
		.reloaded = reloaded,
		.worker_start = worker_start,
		.handle = handle,
		.worker_stop = worker_stop,
	};

	count_routes(mem, p->now.app);
	status = http_serve(&server);
	mem_free(p->before.mem);
	mem_free(p->now.mem);
	mem_free(mem);
	return status;
}

int main(int argc, char **argv)
{
	struct program p = { 0 };
	int opt;

	while ((opt = getopt(argc, argv, "c:")) != -1) {
		if (opt != 'c') {
			fputs("usage: stint-web [-c FILE]\n", stderr);
			return 64;
		}
		p.conf_file = optarg;
	}
	proc_harden();
	crypto_init();
	log_init("stint-web", LOG_INFO_);
	return program_load(&p) ? run(&p) : 78;
}
