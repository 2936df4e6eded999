/* The job's side of a run; see job.h. What it asks for is noted here and carried out by the runner. */
#include <stdarg.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "queue/kinds.h"
#include "queue/runner.h"

const char *job_arg(const struct job *j, const char *name)
{
	return json_str(j->args, name);
}

static struct db_stmt entering(struct job *j)
{
	return db_bind(j->mem, "jobs_enter", (const char *const[]){ "job_id", j->id, "lease", j->runner->lease, NULL });
}

/* In a batch there is no lease to act under: the job is run again, alone. */
static bool is_alone(struct job *j)
{
	if (j->runner->batch)
		j->runner->demand = true;
	return !j->runner->batch;
}

static enum err ask(struct job *j, const char *query, const char *const *given, bool reads, struct db_result **rows)
{
	struct db_stmt stmts[2];
	struct db_result *results[2] = { 0 };
	enum err e;

	if (!is_alone(j))
		return ERR_UNAVAILABLE;
	stmts[0] = entering(j);
	stmts[1] = db_bind(j->mem, query, given);
	e = db_run(j->runner->child->db, j->mem, stmts, 2, reads, results, NULL);
	if (rows)
		*rows = results[1];
	return e;
}

enum err job_read(struct job *j, const char *query, const char *const *given, struct db_result **rows)
{
	return ask(j, query, given, true, rows);
}

enum err job_write(struct job *j, const char *query, const char *const *given, struct db_result **rows)
{
	return ask(j, query, given, false, rows);
}

void job_effect(struct job *j, const char *query, const char *const *given)
{
	struct runner *r = j->runner;
	struct db_stmt stmt;
	const char **values;

	if (!is_alone(j))
		return;
	if (r->neffects == EFFECTS_MAX) {
		r->overflow = true;
		return;
	}
	stmt = db_bind(j->mem, query, given);
	values = mem_array(j->mem, const char *, (size_t)stmt.query->nparams + 1);
	for (int i = 0; i < stmt.query->nparams; i++)
		values[i] = stmt.values[i] ? mem_strdup(j->mem, stmt.values[i]) : NULL;
	r->effects[r->neffects++] = (struct db_stmt){ .query = stmt.query, .values = values };
}

void job_result(struct job *j, struct json_object *result)
{
	j->runner->result = json_own(j->mem, result);
}

void job_memo(struct job *j, struct json_object *memo)
{
	j->runner->memo = json_own(j->mem, memo);
}

void job_why(struct job *j, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	j->runner->why = mem_vprintf(j->mem, format, ap);
	va_end(ap);
}

bool job_should_stop(const struct job *j)
{
	const struct seat *seat = j->runner->child->seat;

	return child_is_leaving() || seat_is_cancelled(seat) || clock_monotonic_us() >= seat->soft_us;
}

struct redis *job_redis(struct job *j)
{
	return j->runner->child->redis;
}

static const char *copy(void *mem, const char *text)
{
	return text ? mem_strdup(mem, text) : NULL;
}

bool runner_job_begin(struct runner *r, const struct db_result *rows, int row)
{
	struct child *c = r->child;
	const char *kind = db_text(rows, row, "kind"), *memo = db_text(rows, row, "memo"), *attempt = db_text(rows, row, "attempt");
	void *mem = mem_root("job");
	int64_t n = 1, lease = 0, now_us = clock_monotonic_us();

	*r = (struct runner){ .child = c, .arg = r->arg, .holder = r->holder, .holder_generation = r->holder_generation,
		.batch = r->batch };
	r->kind = job_kind_place(c->crew->kinds, kind);
	r->lease = copy(mem, db_text(rows, row, "lease"));
	if (attempt)
		str_to_int(attempt, 1, 1000000, &n);
	if (r->lease)
		str_to_int(r->lease, 1, INT64_MAX, &lease);
	r->job = (struct job){ .mem = mem, .conf = c->crew->conf, .arg = r->arg, .id = copy(mem, db_text(rows, row, "id")),
		.organization_id = copy(mem, db_text(rows, row, "organization_id")),
		.member_id = copy(mem, db_text(rows, row, "member_id")), .args = json_trusted(mem, db_text(rows, row, "args")),
		.memo = memo ? json_trusted(mem, memo) : NULL, .attempt = (int)n,
		.is_last = str_eq(db_text(rows, row, "last"), "t"), .runner = r };
	log_set_request(r->job.id);
	if (r->kind < 0) {
		r->why = mem_printf(mem, "this worker knows no kind %s", kind);
		return false;
	}
	r->job.kind = c->crew->kinds[r->kind];
	seat_begin(c->seat, r->job.id, lease, r->kind, now_us, now_us + job_kind_soft_s(r->job.kind) * 1000000,
		now_us + job_kind_hard_s(r->job.kind) * 1000000);
	return true;
}

enum job_end runner_job_run(struct runner *r)
{
	enum job_end end = r->job.kind->run(&r->job);

	if (r->overflow) {
		r->why = "it has more effects than a job may have";
		return JOB_DEAD;
	}
	return end;
}

void runner_job_end(struct runner *r)
{
	seat_end(r->child->seat);
	log_set_request(NULL);
	mem_free(r->job.mem);
	r->job.mem = NULL;
}
