/*
 * stint-live: the process. Configuration, the listening socket, signals, one tick a second, the end.
 *
 * It has no database and no secret: what a socket may hear stands in its ticket, and what is sent are names of things that
 * changed, never their values.
 */
#include "live/live.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "http/sockets.h"
#include "live/client.h"
#include "live/feed.h"
#include "live/handshake.h"

#define US_PER_S INT64_C(1000000)
#define ACCEPTS_A_TURN 64
#define SPARE_FDS 64
#define STOP_TICKS 5

struct server {
	struct live live;
	struct listener listener;
	struct event *accept, *again, *tick, *signals[4];
	int stop_ticks;
};

int64_t live_now_s(void)
{
	return clock_monotonic_us() / US_PER_S;
}

static enum log_level level_of(const char *name)
{
	return str_eq(name, "debug") ? LOG_DEBUG_ : str_eq(name, "warn") ? LOG_WARN_
		: str_eq(name, "error")                                  ? LOG_ERROR_
									 : LOG_INFO_;
}

static void write_one(struct buf *out, const char *name, const char *kind, const char *help, int64_t value)
{
	buf_printf(out, "# HELP stint_live_%s %s\n# TYPE stint_live_%s %s\nstint_live_%s %lld\n", name, help, name, kind, name,
		(long long)value);
}

void live_metrics(const struct live *live, struct buf *out)
{
	const struct live_stats *s = &live->stats;

	write_one(out, "connections", "gauge", "Open WebSockets.", s->connections);
	write_one(out, "organizations", "gauge", "Organizations held in memory.", (int64_t)rooms_count(live->rooms));
	write_one(out, "redis_up", "gauge", "Whether Redis is connected.", live->feed_up);
	write_one(out, "opened_total", "counter", "WebSockets opened.", s->opened);
	write_one(out, "closed_total", "counter", "WebSockets that ended.", s->closed);
	write_one(out, "refused_total", "counter", "Handshakes refused.", s->refused);
	write_one(out, "dropped_total", "counter", "WebSockets closed for reading too slowly.", s->dropped);
	write_one(out, "lost_total", "counter", "WebSockets that did not answer a ping.", s->lost);
	write_one(out, "signed_out_total", "counter", "WebSockets closed because their session ended.", s->signed_out);
	write_one(out, "expired_total", "counter", "WebSockets closed because their session expired.", s->expired);
	write_one(out, "events_total", "counter", "Events read from Redis.", s->events);
	write_one(out, "frames_total", "counter", "Event frames handed to WebSockets.", s->frames);
	write_one(out, "resyncs_total", "counter", "WebSockets told to load anew.", s->resyncs);
	write_one(out, "redis_losses_total", "counter", "Times Redis went away.", s->feed_losses);
	buf_printf(out, "# HELP stint_live_lag_seconds From Redis telling of an event to its last frame being handed over.\n"
			"# TYPE stint_live_lag_seconds summary\nstint_live_lag_seconds_sum %lld.%06lld\nstint_live_lag_seconds_count %lld\n"
			"# HELP stint_live_lag_most_seconds The longest of those.\n# TYPE stint_live_lag_most_seconds gauge\n"
			"stint_live_lag_most_seconds %lld.%06lld\n",
		(long long)(s->lag_us / US_PER_S), (long long)(s->lag_us % US_PER_S), (long long)s->lag_count,
		(long long)(s->lag_most_us / US_PER_S), (long long)(s->lag_most_us % US_PER_S));
}

/* --- configuration */

static bool configure(struct live *live)
{
	const char *why = NULL;
	void *mem = talloc_new(live->mem);
	const struct conf *conf = conf_load_open(mem, live->conf_file, &why);

	if (!conf) {
		log_error(live->conf ? "reload refused; everything stays as it was" : "not started", "why", why ? why : "", NULL);
		mem_free(mem);
		return false;
	}
	log_init("stint-live", level_of(conf->log_level));
	/* The one before stays in memory: a few KiB a reload, and nobody has to ask who still reads it. */
	live->conf = conf;
	live->origin = handshake_origin(mem, conf->public_url);
	return true;
}

/* Each WebSocket is a descriptor. */
static void raise_files(const struct conf *conf)
{
	struct rlimit limit;
	char text[32];

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warn("the limit of open files could not be raised", NULL);
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= (rlim_t)conf->live_clients + SPARE_FDS)
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)limit.rlim_max);
	log_warn("fewer files may be open than live_clients asks for; raise LimitNOFILE", "limit", text, NULL);
}

/* --- events of the loop */

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	const struct timeval pause = { .tv_sec = 0, .tv_usec = 200000 };

	(void)what;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (client >= 0) {
			client_accept(&s->live, client);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ECONNABORTED || errno == EINTR)
			return;
		/* No descriptor to be had: those who knock wait a moment. */
		log_warn("a connection could not be accepted", "why", strerror(errno), NULL);
		event_del(s->accept);
		event_add(s->again, &pause);
		return;
	}
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	if (!s->live.stopping)
		event_add(s->accept, NULL);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	clients_tick(&s->live);
	feed_tick(s->live.feed);
	rooms_sweep(s->live.rooms, live_now_s());
	if (s->live.stopping && (!clients_count(&s->live) || ++s->stop_ticks > STOP_TICKS))
		event_base_loopbreak(s->live.base);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	if (s->live.stopping)
		return;
	log_info("stopping", NULL);
	proc_notify("STOPPING=1");
	s->live.stopping = true;
	event_del(s->accept);
	clients_close_all(&s->live, CLOSE_GOING_AWAY, "restarting");
	event_active(s->tick, 0, 0);
}

static void on_reload(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	const struct conf *before = s->live.conf;
	char state[64];

	(void)fd;
	(void)what;
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_monotonic_us());
	proc_notify(state);
	if (configure(&s->live)) {
		log_info("reloaded", NULL);
		if (!str_eq(before->redis_url, s->live.conf->redis_url) ||
			!str_eq(before->redis_password, s->live.conf->redis_password))
			feed_restart(s->live.feed);
	}
	proc_notify("READY=1");
}

static void events_new(struct server *s)
{
	static const struct timeval second = { .tv_sec = 1 };
	struct event_base *base = s->live.base;

	s->accept = event_new(base, s->listener.fd, EV_READ | EV_PERSIST, on_accept, s);
	s->again = event_new(base, -1, 0, on_again, s);
	s->tick = event_new(base, -1, EV_PERSIST, on_tick, s);
	s->signals[0] = evsignal_new(base, SIGTERM, on_stop, s);
	s->signals[1] = evsignal_new(base, SIGINT, on_stop, s);
	s->signals[2] = evsignal_new(base, SIGHUP, on_reload, s);
	event_add(s->accept, NULL);
	event_add(s->tick, &second);
	for (int i = 0; i < 3; i++)
		event_add(s->signals[i], NULL);
}

static void events_free(struct server *s)
{
	event_free(s->accept);
	event_free(s->again);
	event_free(s->tick);
	for (int i = 0; i < 3; i++)
		event_free(s->signals[i]);
}

static int serve(struct server *s)
{
	struct live *live = &s->live;

	if (!listener_open(&s->listener, "live", live->conf->live_socket))
		return 1;
	listeners_forget_handed();
	if (evutil_make_socket_nonblocking(s->listener.fd) != 0)
		return 1;
	raise_files(live->conf);
	live->base = event_base_new();
	if (!live->base)
		return 1;
	live->clients = clients_new(live->mem, live);
	live->rooms = rooms_new(live->mem, live);
	live->feed = feed_new(live->mem, live);
	events_new(s);
	log_info("ready", "socket", s->listener.path, NULL);
	proc_notify("READY=1");
	event_base_dispatch(live->base);
	mem_free(live->feed);
	clients_free(live);
	mem_free(live->rooms);
	events_free(s);
	event_base_free(live->base);
	listener_close(&s->listener);
	return 0;
}

int live_run(const char *conf_file)
{
	struct server s = { .live = { .mem = talloc_named_const(NULL, 0, "live"), .conf_file = conf_file } };
	int status;

	signal(SIGPIPE, SIG_IGN);
	status = configure(&s.live) ? serve(&s) : 78;
	mem_free(s.live.mem);
	libevent_global_shutdown();
	return status;
}
