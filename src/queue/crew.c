/*
 * The master of a worker: forking, watching, reaping. All signals are taken one by one by sigtimedwait, as in the master of the
 * web workers, so nothing here has to bear being interrupted. It never talks to a database: what it learns (which job took its
 * process along) it leaves on the board, and the keeper tells.
 *
 * Leaving has an order: first the runners, which finish and settle; then relay, sealer and intake; the keeper last, because it
 * speaks for the others.
 */
#include "queue/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "queue/child.h"

enum {
	LEAVE_S = 25,
	TURN_MS = 100,
	REPEAT_US = 200000,
	MERCY_US = 10000000, /* for a job that was told to end */
	RESPAWN_FIRST_US = 50000,
	RESPAWN_MOST_US = 5000000,
	YOUNG_US = 1000000,
	MEMORY_LOOKS = 3, /* turns between looks at memory */
};

enum { ROLE_KEEPER, ROLE_RELAY, ROLE_SEALER, ROLE_INTAKE, ROLE_RUNNER }; /* ROLE_RUNNER + n: of pool n */

struct master {
	struct crew *crew;
	void *mem;
	struct board *board;
	struct pool *pools;
	int npools;
	char worker_id[UUID_TEXT];
	sigset_t signals, before;
	bool stopping, ready, reload_asked;
	int status; /* of the program, in the end */
	int64_t stop_us, respawn_us, respawn_wait_us;
	struct proc_watchdog watchdog;
	int64_t cancel_us[1024]; /* by seat: since when the job there is asked to end */
	int turns;
};

static int children_of(const struct master *m, int role)
{
	return role < ROLE_RUNNER ? 1 : m->pools[role - ROLE_RUNNER].children;
}

static int roles(const struct master *m)
{
	return ROLE_RUNNER + m->npools;
}

static const char *role_name(int role)
{
	static const char *const names[] = { "keeper", "relay", "sealer", "intake" };

	return role < ROLE_RUNNER ? names[role] : "runner";
}

static void limit_memory(const struct crew *crew)
{
#ifndef STINT_SANITIZERS
	/* What is past this dies at once, before the master has looked. */
	struct rlimit most = { .rlim_cur = (rlim_t)crew->conf->worker_memory_mb * 2 * 1048576, .rlim_max = RLIM_INFINITY };

	setrlimit(RLIMIT_DATA, &most);
#else
	(void)crew;
#endif
}

static void become(struct master *m, struct seat *seat, int role, pid_t master) __attribute__((noreturn));

static void become(struct master *m, struct seat *seat, int role, pid_t master)
{
	static void (*const mains[])(struct child *) = { keeper_main, relay_main, sealer_main, intake_main, runner_main };
	void *mem = mem_root("child");
	struct child c = { .mem = mem, .crew = m->crew, .board = m->board, .seat = seat, .pools = m->pools, .npools = m->npools,
		.pool = role >= ROLE_RUNNER ? &m->pools[role - ROLE_RUNNER] : NULL, .worker_id = m->worker_id };

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* its leases are given away at once: it must do nothing more */
	if (getppid() != master)
		_exit(EXIT_FAILURE);
	child_signals(&m->before);
	c.db = db_new(mem, m->crew->conf->worker_url, mem_printf(mem, "stint-worker %s", role_name(role)));
	c.redis = redis_new(mem, m->crew->conf->redis_url, m->crew->conf->redis_password);
	if (role >= ROLE_RUNNER)
		limit_memory(m->crew);
	mains[role < ROLE_RUNNER ? role : ROLE_RUNNER](&c);
	mem_free(mem);
	_exit(EXIT_SUCCESS);
}

static struct seat *seat_free(struct master *m)
{
	for (int i = 0; i < m->board->nseats; i++)
		if (!m->board->seats[i].pid)
			return &m->board->seats[i];
	return NULL;
}

static bool spawn(struct master *m, int role, int64_t now_us)
{
	struct seat *seat = seat_free(m);
	pid_t master = getpid(), pid;

	if (!seat)
		return false;
	memset(seat, 0, sizeof(*seat));
	seat->role = role;
	seat->forked_us = now_us;
	m->cancel_us[seat - m->board->seats] = 0;
	pid = fork();
	if (pid == 0)
		become(m, seat, role, master);
	if (pid < 0) {
		log_error("a child could not be forked", "why", strerror(errno), NULL);
		return false;
	}
	seat->pid = pid;
	return true;
}

static int count(const struct master *m, int role, bool up)
{
	int n = 0;

	for (int i = 0; i < m->board->nseats; i++) {
		const struct seat *s = &m->board->seats[i];

		n += s->pid && s->role == role && !s->leaving && (!up || atomic_load(&s->up));
	}
	return n;
}

static void fill(struct master *m, int64_t now_us)
{
	if (now_us < m->respawn_us)
		return;
	for (int role = 0; role < roles(m); role++)
		for (int lacking = children_of(m, role) - count(m, role, false); lacking > 0; lacking--)
			if (!spawn(m, role, now_us))
				return;
}

static void say_death(const struct seat *seat, const char *how)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)seat->pid);
	log_error("a child died", "role", role_name(seat->role), "pid", pid, "how", how, "job", seat->job[0] ? seat->job : NULL, NULL);
}

/* Children that die young again and again are forked more and more slowly. */
static void back_off(struct master *m, const struct seat *seat, int64_t now_us)
{
	if (now_us - seat->forked_us > YOUNG_US) {
		m->respawn_wait_us = 0;
		return;
	}
	m->respawn_wait_us = m->respawn_wait_us ? m->respawn_wait_us * 2 : RESPAWN_FIRST_US;
	if (m->respawn_wait_us > RESPAWN_MOST_US)
		m->respawn_wait_us = RESPAWN_MOST_US;
	m->respawn_us = now_us + m->respawn_wait_us;
}

static void bury(struct master *m, struct seat *seat, int status, int64_t now_us)
{
	char how[80];
	bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	if (seat->killed_us && seat->job[0] && !seat->leaving)
		snprintf(how, sizeof(how), "%s", now_us >= seat->hard_us ? "it took longer than its hard limit"
									 : "it took too much memory, or did not end when told to");
	else if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(how, sizeof(how), "exit %d", WEXITSTATUS(status));
	/* It died while it was about to begin a job or had just ended one: what stands there is neither. */
	if (atomic_load(&seat->turn) & 1)
		seat->job[0] = 0;
	if (!well)
		say_death(seat, how);
	/* One that was told to leave and killed for being late has done nothing wrong: its lease just ends. */
	if (!well && seat->job[0] && !seat->leaving)
		board_crash(m->board, seat, how);
	if (!seat->leaving && !well)
		back_off(m, seat, now_us);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_WRONG) {
		m->stopping = true;
		m->status = EXIT_WRONG;
	}
	seat->pid = 0;
	seat->job[0] = 0;
}

static void reap(struct master *m, int64_t now_us)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < m->board->nseats; i++)
			if (m->board->seats[i].pid == pid)
				bury(m, &m->board->seats[i], status, now_us);
}

static void tell(struct seat *s, int64_t now_us)
{
	if (!s->pid || (s->leaving && now_us - s->said_us < REPEAT_US))
		return;
	if (!s->leaving)
		s->told_us = now_us;
	s->leaving = true;
	s->said_us = now_us;
	kill(s->pid, SIGTERM);
}

static int alive(const struct master *m, int least, int most)
{
	int n = 0;

	for (int i = 0; i < m->board->nseats; i++)
		n += m->board->seats[i].pid && m->board->seats[i].role >= least && m->board->seats[i].role <= most;
	return n;
}

/* Those who are to go, in their order; the late ones are killed. */
static void retire(struct master *m, int64_t now_us)
{
	int64_t leave_us = (m->crew->leave_s ? m->crew->leave_s : LEAVE_S) * INT64_C(1000000);
	int least = alive(m, ROLE_RUNNER, roles(m)) ? ROLE_RUNNER : alive(m, ROLE_RELAY, roles(m)) ? ROLE_RELAY : ROLE_KEEPER;

	for (int i = 0; i < m->board->nseats; i++) {
		struct seat *s = &m->board->seats[i];

		if (m->stopping && s->role >= least)
			tell(s, now_us);
		else if (s->leaving)
			tell(s, now_us);
		if (s->pid && s->leaving && now_us - s->told_us > leave_us)
			kill(s->pid, SIGKILL);
	}
}

static int64_t resident_mb(pid_t pid)
{
	char path[48];
	long long pages = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%*d %lld", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE) / 1048576;
}

/* Kills runners whose job is past its hard limit, does not end when told to, or takes too much memory. */
static void watch(struct master *m, int64_t now_us)
{
	bool look_memory = ++m->turns % MEMORY_LOOKS == 0;

	for (int i = 0; i < m->board->nseats; i++) {
		struct seat *s = &m->board->seats[i], copy;
		bool over;

		if (!s->pid || s->role < ROLE_RUNNER || s->killed_us || !seat_look(s, &copy) || !copy.job[0]) {
			m->cancel_us[i] = 0;
			continue;
		}
		if (!seat_is_cancelled(&copy))
			m->cancel_us[i] = 0;
		else if (!m->cancel_us[i])
			m->cancel_us[i] = now_us;
		over = now_us >= copy.hard_us || (m->cancel_us[i] && now_us - m->cancel_us[i] > MERCY_US) ||
			(look_memory && resident_mb(s->pid) > m->crew->conf->worker_memory_mb);
		if (over) {
			s->killed_us = now_us;
			kill(s->pid, SIGKILL);
		}
	}
}

static void reload(struct master *m, int64_t now_us)
{
	char state[64];

	m->reload_asked = false;
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)now_us);
	proc_notify(state);
	if (m->crew->reload && !m->crew->reload(m->crew)) {
		log_error("reload refused; everything stays as it was", NULL);
		proc_notify("READY=1");
		return;
	}
	m->ready = false; /* until the new ones are up */
	log_info("reloading: new children start, the old ones finish and leave", NULL);
	for (int i = 0; i < m->board->nseats; i++)
		tell(&m->board->seats[i], now_us);
}

static bool is_up(const struct master *m)
{
	for (int role = 0; role < roles(m); role++)
		if (count(m, role, true) < 1)
			return false;
	return true;
}

static void act(struct master *m, int64_t now_us)
{
	reap(m, now_us);
	watch(m, now_us);
	if (m->crew->until_idle && atomic_load(&m->board->idle))
		m->stopping = true;
	if (m->reload_asked && !m->stopping)
		reload(m, now_us);
	retire(m, now_us);
	if (m->stopping)
		return;
	fill(m, now_us);
	if (!m->ready && is_up(m)) {
		m->ready = true;
		log_info("ready", NULL);
		proc_notify("READY=1");
	}
}

static void live(struct master *m)
{
	const struct timespec wait = { .tv_nsec = TURN_MS * 1000000L };

	for (;;) {
		int64_t now_us = clock_monotonic_us();
		int signo;

		act(m, now_us);
		proc_watchdog_tell(&m->watchdog, now_us, now_us);
		if (m->stopping && alive(m, 0, roles(m)) == 0)
			return;
		signo = sigtimedwait(&m->signals, NULL, &wait);
		if (signo == SIGTERM || signo == SIGINT) {
			if (!m->stopping)
				log_info("stopping", NULL);
			m->stopping = true;
			proc_notify("STOPPING=1");
		} else if (signo == SIGHUP) {
			m->reload_asked = true;
		}
	}
}

static void take_signals(struct master *m)
{
	static const int taken[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };

	sigemptyset(&m->signals);
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		sigaddset(&m->signals, taken[i]);
	sigprocmask(SIG_BLOCK, &m->signals, &m->before);
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		sigdelset(&m->before, taken[i]);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
}

int crew_run(struct crew *crew)
{
	void *mem = mem_root("crew");
	struct master m = { .crew = crew, .mem = mem };
	const char *why = NULL;
	int seats = 0;

	m.pools = pools_parse(mem, crew->queues, &m.npools, &why);
	if (!m.pools) {
		log_error("not started", "why", why, NULL);
		mem_free(mem);
		return EXIT_WRONG;
	}
	for (int role = 0; role < roles(&m); role++)
		seats += 2 * children_of(&m, role); /* a reload has two generations */
	if (seats > (int)(sizeof(m.cancel_us) / sizeof(*m.cancel_us)))
		seats = (int)(sizeof(m.cancel_us) / sizeof(*m.cancel_us));
	m.board = board_new(seats);
	uuid_v7(m.worker_id);
	take_signals(&m);
	proc_watchdog_init(&m.watchdog);
	live(&m);
	log_info("stopped", NULL);
	board_free(m.board);
	mem_free(mem);
	return m.status;
}
