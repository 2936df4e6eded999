/* What the children have in common; see child.h. */
#include "queue/child.h"

#include <signal.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "base/str.h"

const int job_priorities[4] = { 0, 3, 6, 9 };

static volatile sig_atomic_t leaving;

static void on_term(int signo)
{
	(void)signo;
	leaving = 1;
}


/* Without SA_RESTART, so that a nap ends. */
void child_signals(const sigset_t *mask)
{
	struct sigaction act = { .sa_handler = on_term };

	sigemptyset(&act.sa_mask);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_SETMASK, mask, NULL);
}

bool child_is_leaving(void)
{
	return leaving != 0;
}

void child_nap(int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	if (!leaving)
		nanosleep(&ts, NULL);
}

bool child_leads(struct child *c, int what, int64_t *held_generation)
{
	void *mem;
	struct db_stmt stmt;
	struct db_result *rows = NULL;
	bool leads;

	if (*held_generation && *held_generation == db_generation(c->db))
		return true;
	*held_generation = 0;
	mem = mem_root("lead");
	stmt = db_bind(mem, "jobs_lead", (const char *const[]){ "what", mem_printf(mem, "%d", what), NULL });
	fail_point("lead.before");
	leads = db_run(c->db, mem, &stmt, 1, false, &rows, NULL) == OK && str_eq(db_text(rows, 0, "leads"), "t");
	fail_point("lead.after");
	if (leads)
		*held_generation = db_generation(c->db);
	mem_free(mem);
	return leads;
}

const char *jobs_key(void *mem, const char *queue, int priority, bool quick)
{
	return mem_printf(mem, "jobs:%s:%s%d", queue, quick ? "quick:" : "", priority);
}

const char *array_text(void *mem, const char *const *words, int n)
{
	struct buf b;

	buf_init(&b, mem);
	buf_putc(&b, '{');
	for (int i = 0; i < n; i++) {
		if (i)
			buf_putc(&b, ',');
		buf_puts(&b, words[i]);
	}
	buf_putc(&b, '}');
	return b.data;
}
