/*
 * Forking, watching, reaping.
 *
 * A death is answered at once; only a pool whose workers die young, again and again, has to wait: 100 ms after the
 * third, doubling to 5 s, forgotten after ten quiet seconds. So one bad request costs one fork, and a worker that
 * cannot start costs next to nothing.
 *
 * Must never touch a database or a request: what the master holds is what all its children get.
 */
#include "http/master.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/metrics.h"
#include "http/worker.h"

#define US_PER_S INT64_C(1000000)
#define US_PER_MS INT64_C(1000)
#define YOUNG_US US_PER_S
#define QUIET_US (10 * US_PER_S)
#define WAIT_FIRST_US (100 * US_PER_MS)
#define WAIT_MOST_US (5 * US_PER_S)
#define FREE_DEATHS 2
#define REPEAT_US (100 * US_PER_MS)
#define GRACE_S 5
#define IDLE_US (500 * US_PER_MS)
#define TEXT 32

void master_init(struct master *m, void *mem, const struct http_server *server, struct listener *listeners,
	const sigset_t *child_mask)
{
	const char **names = mem_array(mem, const char *, (size_t)server->npools);

	*m = (struct master){ .server = server, .listeners = listeners, .child_mask = *child_mask };
	m->pools = mem_array(mem, struct pool_state, (size_t)server->npools);
	for (int i = 0; i < server->npools; i++) {
		names[i] = server->pools[i].name;
		m->nslots += server->pools[i].workers * 3 + 2; /* two generations, and those on their way out */
	}
	m->slots = slots_new(m->nslots, names, server->npools);
}

static struct slot *slot_of(struct master *m, pid_t pid)
{
	for (int i = 0; i < m->nslots; i++)
		if (m->slots[i].pid == pid)
			return &m->slots[i];
	return NULL;
}

static void become_worker(struct master *m, struct slot *slot, int pool, pid_t master) __attribute__((noreturn));

static void become_worker(struct master *m, struct slot *slot, int pool, pid_t master)
{
	/* A master that is gone can replace nobody: its workers finish and leave too. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != master)
		_exit(WORKER_LEFT);
	for (int i = 0; i < m->server->npools; i++)
		if (i != pool)
			close(m->listeners[i].fd);
	worker_run(m->server, pool, m->listeners[pool].fd, slot, &m->child_mask);
}

static bool spawn(struct master *m, int pool, int64_t now_us)
{
	struct slot *slot = slot_of(m, 0);
	pid_t master = getpid(), pid;

	if (!slot)
		return false; /* until somebody is gone */
	*slot = (struct slot){ .pool = pool, .generation = m->generation, .forked_us = now_us };
	slot_set(slot, SLOT_STARTING, now_us);
	pid = fork();
	if (pid == 0)
		become_worker(m, slot, pool, master);
	if (pid < 0) {
		log_error("a worker could not be forked", "why", strerror(errno), NULL);
		slot_set(slot, SLOT_FREE, 0);
		m->pools[pool].next_us = now_us + US_PER_S;
		return false;
	}
	slot->pid = pid;
	if (m->pools[pool].to_replace > 0) {
		m->pools[pool].to_replace--;
		metrics_count("worker_respawns");
	}
	return true;
}

static void backoff(struct pool_state *p, int64_t now_us)
{
	int64_t wait_us = WAIT_FIRST_US;

	if (now_us - p->last_us > QUIET_US)
		p->fails = 0;
	p->last_us = now_us;
	if (++p->fails <= FREE_DEATHS)
		return;
	for (int i = FREE_DEATHS + 1; i < p->fails && wait_us < WAIT_MOST_US; i++)
		wait_us *= 2;
	p->next_us = now_us + (wait_us < WAIT_MOST_US ? wait_us : WAIT_MOST_US);
}

static void log_death(const struct master *m, const struct slot *slot, int status, int64_t now_us)
{
	char pid[TEXT], how[TEXT], lived[TEXT], requests[TEXT];

	snprintf(pid, sizeof(pid), "%d", (int)slot->pid);
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "exit %d", WEXITSTATUS(status));
	snprintf(lived, sizeof(lived), "%lld", (long long)((now_us - slot->forked_us) / US_PER_MS));
	snprintf(requests, sizeof(requests), "%llu", (unsigned long long)atomic_load(&slot->requests));
	log_error("worker died", "pool", m->server->pools[slot->pool].name, "pid", pid, "how", how, "lived_ms", lived,
		"requests", requests, NULL);
}

static void bury(struct master *m, struct slot *slot, int status, int64_t now_us)
{
	bool asked = slot->leaving || (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_LEFT);
	bool up = slot->came_up || atomic_load(&slot->state) > SLOT_STARTING;

	if (slot->leaving && WIFSIGNALED(status))
		log_death(m, slot, status, now_us);
	if (!asked) {
		log_death(m, slot, status, now_us);
		if (!slot->killed_us)
			metrics_count("worker_crashes");
		if (!up || now_us - slot->forked_us < YOUNG_US)
			backoff(&m->pools[slot->pool], now_us);
		if (!up && m->reloading && slot->generation == m->generation)
			m->reload_failed = true;
	}
	if (!slot->leaving)
		m->pools[slot->pool].to_replace++;
	slot->pid = 0;
	slot_set(slot, SLOT_FREE, 0);
}

void master_reap(struct master *m, int64_t now_us)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct slot *slot = slot_of(m, pid);

		if (slot)
			bury(m, slot, status, now_us);
	}
	for (int i = 0; i < m->nslots; i++)
		m->slots[i].came_up |= m->slots[i].pid && atomic_load(&m->slots[i].state) > SLOT_STARTING;
}

static int count(const struct master *m, int pool, bool up)
{
	int n = 0;

	for (int i = 0; i < m->nslots; i++) {
		const struct slot *s = &m->slots[i];

		n += s->pid && s->pool == pool && s->generation == m->generation && !s->leaving && (!up || s->came_up);
	}
	return n;
}

void master_fill(struct master *m, int64_t now_us)
{
	for (int pool = 0; pool < m->server->npools; pool++) {
		int lacking = m->server->pools[pool].workers - count(m, pool, false);

		if (now_us < m->pools[pool].next_us)
			continue;
		while (lacking-- > 0 && spawn(m, pool, now_us))
			;
	}
}

void master_retire(struct master *m, int generation, int64_t now_us)
{
	for (int i = 0; i < m->nslots; i++) {
		struct slot *s = &m->slots[i];

		if (!s->pid || s->leaving || (generation >= 0 && s->generation != generation))
			continue;
		s->leaving = true;
		s->told_us = s->said_us = now_us;
		kill(s->pid, SIGTERM);
	}
}

static void nudge_leaving(const struct master *m, struct slot *s, int64_t now_us)
{
	if (now_us - s->told_us > (m->server->worker_timeout_s + GRACE_S) * US_PER_S) {
		kill(s->pid, SIGKILL);
	} else if (now_us - s->said_us >= REPEAT_US) {
		s->said_us = now_us;
		kill(s->pid, SIGTERM);
	}
}

static void nudge_stuck(const struct master *m, struct slot *s, int64_t now_us)
{
	int state = atomic_load_explicit(&s->state, memory_order_acquire);
	int64_t since_us = atomic_load_explicit(&s->since_us, memory_order_relaxed);
	char pid[TEXT];

	if (state == SLOT_IDLE || now_us - since_us <= m->server->worker_timeout_s * US_PER_S || s->killed_us)
		return;
	if (state == SLOT_READING) {
		kill(s->pid, SIGUSR2);
		return;
	}
	snprintf(pid, sizeof(pid), "%d", (int)s->pid);
	log_error("worker stuck, killed", "pool", m->server->pools[s->pool].name, "pid", pid, NULL);
	metrics_count("worker_timeouts");
	s->killed_us = now_us;
	kill(s->pid, SIGKILL);
}

void master_nudge(struct master *m, int64_t now_us)
{
	for (int i = 0; i < m->nslots; i++) {
		struct slot *s = &m->slots[i];

		if (s->pid && s->leaving)
			nudge_leaving(m, s, now_us);
		else if (s->pid)
			nudge_stuck(m, s, now_us);
	}
}

int master_alive(const struct master *m)
{
	int n = 0;

	for (int i = 0; i < m->nslots; i++)
		n += m->slots[i].pid != 0;
	return n;
}

bool master_is_up(const struct master *m, bool all)
{
	for (int pool = 0; pool < m->server->npools; pool++)
		if (count(m, pool, true) < (all ? m->server->pools[pool].workers : 1))
			return false;
	return true;
}

int64_t master_next_us(const struct master *m, int64_t now_us)
{
	int64_t next_us = now_us + IDLE_US;

	for (int pool = 0; pool < m->server->npools; pool++)
		if (m->pools[pool].next_us > now_us && m->pools[pool].next_us < next_us)
			next_us = m->pools[pool].next_us;
	for (int i = 0; i < m->nslots; i++)
		if (m->slots[i].pid && m->slots[i].leaving && m->slots[i].said_us + REPEAT_US < next_us)
			next_us = m->slots[i].said_us + REPEAT_US;
	return next_us > now_us ? next_us : now_us + US_PER_MS;
}
