/*
 * The master's life: open the sockets, start the workers, then wait for signals and act on them.
 *
 * All signals are blocked and taken one by one by sigtimedwait, so that nothing here has to be safe against
 * being interrupted. Reloading is two generations side by side: the new one is forked and must come up whole before the old
 * one is told to leave; when it does not, it goes and the old one stays. Connections meanwhile wait in the listening
 * socket that both share, so none fails.
 */
#include "http/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "http/master.h"

#define US_PER_S INT64_C(1000000)
#define TEXT 64

struct life {
	struct master m;
	sigset_t signals;
	bool ready, stopping, reload_asked;
	struct proc_watchdog watchdog;
};

static const int taken_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1 };

static void take_signals(struct life *l, sigset_t *before)
{
	sigemptyset(&l->signals);
	for (size_t i = 0; i < sizeof(taken_signals) / sizeof(*taken_signals); i++)
		sigaddset(&l->signals, taken_signals[i]);
	sigprocmask(SIG_BLOCK, &l->signals, before);
	/* Whoever started us may have left these to be ignored or blocked; the workers need them. */
	for (size_t i = 0; i < sizeof(taken_signals) / sizeof(*taken_signals); i++)
		sigdelset(before, taken_signals[i]);
	sigdelset(before, SIGALRM);
	sigdelset(before, SIGUSR2);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
}

static bool open_listeners(const struct http_server *server, struct listener *listeners)
{
	for (int i = 0; i < server->npools; i++) {
		if (listener_open(&listeners[i], server->pools[i].name, server->pools[i].socket))
			continue;
		while (i-- > 0)
			listener_close(&listeners[i]);
		return false;
	}
	listeners_forget_handed();
	return true;
}

static void stop(struct life *l, int64_t now_us)
{
	if (l->stopping)
		return;
	log_info("stopping", NULL);
	proc_notify("STOPPING=1");
	l->stopping = true;
	master_retire(&l->m, -1, now_us);
}

static void reload_begin(struct life *l, int64_t now_us)
{
	const struct http_server *server = l->m.server;
	char state[TEXT];

	l->reload_asked = false;
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)now_us);
	proc_notify(state);
	if (server->reload && !server->reload(server->arg)) {
		log_error("reload refused; everything stays as it was", NULL);
		proc_notify("READY=1");
		return;
	}
	log_info("reloading", NULL);
	l->m.last_generation = l->m.generation;
	l->m.generation = ++l->m.newest;
	l->m.reloading = true;
	l->m.reload_failed = false;
}

static void reload_end(struct life *l, int64_t now_us)
{
	struct master *m = &l->m;

	if (m->reload_failed) {
		log_error("reload failed: the new workers do not start; the old ones stay", NULL);
		master_retire(m, m->generation, now_us);
		m->generation = m->last_generation;
	} else if (master_is_up(m, true)) {
		log_info("reloaded", NULL);
		master_retire(m, m->last_generation, now_us);
	} else {
		return;
	}
	m->reloading = false;
	if (m->server->reloaded)
		m->server->reloaded(m->server->arg, !m->reload_failed);
	proc_notify("READY=1");
}

static void on_signal(struct life *l, int signo, int64_t now_us)
{
	if (signo == SIGTERM || signo == SIGINT)
		stop(l, now_us);
	else if (signo == SIGHUP && !l->stopping)
		l->reload_asked = true; /* several at once are one; during a reload, one more after it */
}

static void act(struct life *l, int64_t now_us)
{
	struct master *m = &l->m;

	master_reap(m, now_us);
	master_nudge(m, now_us);
	if (l->stopping)
		return;
	if (m->reloading)
		reload_end(l, now_us);
	if (l->reload_asked && !m->reloading && l->ready)
		reload_begin(l, now_us);
	master_fill(m, now_us);
	if (!l->ready && master_is_up(m, false)) {
		l->ready = true;
		log_info("ready", NULL);
		proc_notify("READY=1");
	}
}

static void live(struct life *l)
{
	for (;;) {
		int64_t now_us = clock_monotonic_us(), wait_us;
		struct timespec wait;
		int signo;

		act(l, now_us);
		if (l->stopping && master_alive(&l->m) == 0)
			return;
		wait_us = proc_watchdog_tell(&l->watchdog, now_us, master_next_us(&l->m, now_us)) - clock_monotonic_us();
		if (wait_us < 0)
			wait_us = 0;
		wait = (struct timespec){ .tv_sec = wait_us / US_PER_S, .tv_nsec = wait_us % US_PER_S * 1000 };
		signo = sigtimedwait(&l->signals, NULL, &wait);
		if (signo > 0)
			on_signal(l, signo, clock_monotonic_us());
	}
}

int http_serve(const struct http_server *server)
{
	void *mem = mem_root("master");
	struct listener *listeners = mem_array(mem, struct listener, (size_t)server->npools);
	struct life l = { .ready = false };
	sigset_t before;

	if (!open_listeners(server, listeners)) {
		mem_free(mem);
		return EXIT_FAILURE;
	}
	take_signals(&l, &before);
	master_init(&l.m, mem, server, listeners, &before);
	proc_watchdog_init(&l.watchdog);
	live(&l);
	for (int i = 0; i < server->npools; i++)
		listener_close(&listeners[i]);
	log_info("stopped", NULL);
	mem_free(mem);
	return EXIT_SUCCESS;
}
