/*
 * What operators watch. Counting costs a few relaxed atomic additions and never a system call; reading them is rare
 * and may be slow. Labels are names of routes and pools, both from closed lists: never a path, a person or an organization.
 */
#include "http/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "http/slots.h"

#define CLASSES 5 /* 1xx … 5xx */

static const struct {
	const char *name, *help;
} events[] = {
	{ "worker_respawns", "Workers started in place of others." },
	{ "worker_crashes", "Workers that died unasked." },
	{ "worker_timeouts", "Workers killed for a request that took too long." },
	{ "requests_refused", "Requests that never reached a handler." },
	{ "rate_limited", "Requests refused by the rate limit." },
	{ "db_reconnects", "Connections to the database made again." },
	{ "db_retries", "Transactions run again after a conflict or a lost connection." },
	{ "signin_throttled", "Sign-ins refused for too many tries." },
	{ "mails_sent", "Mails handed over." },
};
#define EVENTS (sizeof(events) / sizeof(*events))

static const struct {
	int64_t us;
	const char *le;
} bounds[] = {
	{ 500, "0.0005" },
	{ 1000, "0.001" },
	{ 2500, "0.0025" },
	{ 5000, "0.005" },
	{ 10000, "0.01" },
	{ 25000, "0.025" },
	{ 50000, "0.05" },
	{ 100000, "0.1" },
	{ 250000, "0.25" },
	{ 500000, "0.5" },
	{ 1000000, "1" },
	{ 2500000, "2.5" },
	{ 5000000, "5" },
	{ 10000000, "10" },
};
#define BOUNDS (sizeof(bounds) / sizeof(*bounds))

struct counters {
	_Atomic uint64_t events[EVENTS];
	_Atomic uint64_t took[BOUNDS + 1], took_us;
	_Atomic uint64_t requests[][CLASSES]; /* by route; the last is for what has none */
};

static struct counters *counters;
static const char *const *routes;
static int nroutes;

void metrics_init(const char *const *names, int count)
{
	size_t size = sizeof(struct counters) + sizeof(uint64_t) * CLASSES * (size_t)(count + 1);
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED) {
		log_error("no shared memory for the counters", NULL);
		abort();
	}
	counters = shared;
	routes = names;
	nroutes = count;
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static int route_of(const char *name)
{
	for (int i = 0; i < nroutes; i++)
		if (routes[i] == name)
			return i;
	for (int i = 0; i < nroutes; i++)
		if (strcmp(routes[i], name) == 0)
			return i;
	return nroutes;
}

void metrics_request(const struct request *rq, int64_t took_us)
{
	int class = rq->res.status / 100 - 1;
	size_t bound = 0;

	if (!counters)
		return;
	if (class < 0 || class >= CLASSES)
		class = CLASSES - 1;
	while (bound < BOUNDS && took_us > bounds[bound].us)
		bound++;
	add(&counters->requests[route_of(rq->route)][class], 1);
	add(&counters->took[bound], 1);
	add(&counters->took_us, took_us > 0 ? (uint64_t)took_us : 0);
}

void metrics_count(const char *name)
{
	for (size_t i = 0; i < EVENTS; i++) {
		if (strcmp(events[i].name, name) != 0)
			continue;
		if (counters)
			add(&counters->events[i], 1);
		return;
	}
	log_error("a counter that is not in the list", "name", name, NULL);
	abort();
}

static unsigned long long get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void write_requests(struct buf *out)
{
	buf_puts(out, "# HELP stint_requests_total Requests by route and class of status.\n# TYPE stint_requests_total counter\n");
	for (int i = 0; i <= nroutes; i++) {
		for (int class = 0; class < CLASSES; class ++) {
			unsigned long long n = get(&counters->requests[i][class]);

			if (n)
				buf_printf(out, "stint_requests_total{route=\"%s\",status=\"%dxx\"} %llu\n",
					i < nroutes ? routes[i] : "-", class + 1, n);
		}
	}
}

static void write_took(struct buf *out)
{
	const char *name = "stint_request_duration_seconds";
	unsigned long long sum = 0, us = get(&counters->took_us);

	buf_printf(out, "# HELP %s Time from accepting a request to its answer.\n# TYPE %s histogram\n", name, name);
	for (size_t i = 0; i < BOUNDS; i++) {
		sum += get(&counters->took[i]);
		buf_printf(out, "%s_bucket{le=\"%s\"} %llu\n", name, bounds[i].le, sum);
	}
	sum += get(&counters->took[BOUNDS]);
	buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %llu.%06llu\n%s_count %llu\n", name, sum, name, us / 1000000,
		us % 1000000, name, sum);
}

static void write_workers(struct buf *out)
{
	static const char *const states[SLOT_STATES] = {
		[SLOT_STARTING] = "starting",
		[SLOT_IDLE] = "idle",
		[SLOT_READING] = "reading",
		[SLOT_HANDLING] = "busy",
	};

	buf_puts(out, "# HELP stint_workers Workers by pool and state.\n# TYPE stint_workers gauge\n");
	for (int pool = 0; pool < slots_pools(); pool++)
		for (int state = SLOT_STARTING; state < SLOT_STATES; state++)
			buf_printf(out, "stint_workers{pool=\"%s\",state=\"%s\"} %d\n", slots_pool_name(pool), states[state],
				slots_count(pool, (enum slot_state)state));
}

void metrics_write(struct buf *out)
{
	if (!counters)
		return;
	write_requests(out);
	write_took(out);
	write_workers(out);
	for (size_t i = 0; i < EVENTS; i++)
		buf_printf(out, "# HELP stint_%s_total %s\n# TYPE stint_%s_total counter\nstint_%s_total %llu\n", events[i].name,
			events[i].help, events[i].name, events[i].name, get(&counters->events[i]));
}
