/*
 * Background work as an organization's owner sees it: what waits, what failed, who works, and when schedules run next. The
 * numbers and jobs are the organization's own (seen.jobs); workers and schedules are the installation's. A dropped job is out
 * of sight at once and gone a day later, so that dropping can be undone.
 */
#include "features/features.h"

#include "app/call.h"
#include "app/schedules.h"
#include "base/clock.h"
#include "base/json.h"
#include "features/common.h"

static const struct shape shape_job = {
	.name = "Job",
	.attrs = (const struct attr[]){ ID("id"), TEXT("kind"), TEXT("queue"), INT("priority"), TEXT("state"), INT("attempts"),
		INT("max_attempts"), ID_OR_NULL("member_id"), INSTANT("created_at"), INSTANT("due_at"), INSTANT_OR_NULL("started_at"),
		INSTANT_OR_NULL("finished_at"), TEXT_OR_NULL("error"), { .name = "args", .type = ATTR_ANY },
		{ .name = "result", .type = ATTR_ANY }, { 0 } },
};

static const struct shape shape_queue = {
	.name = "JobQueue",
	.attrs = (const struct attr[]){ TEXT("queue"), INT("waiting"), INT("due"), INT("running"), INSTANT_OR_NULL("oldest_due_at"), { 0 } },
};

static const struct shape shape_rate = {
	.name = "JobRate",
	.attrs = (const struct attr[]){ INT("done"), INT("failed"), INT("dead"), { 0 } },
};

static const struct shape shape_rates = {
	.name = "JobRates",
	.attrs = (const struct attr[]){ OBJECT("minute", shape_rate), OBJECT("hour", shape_rate), OBJECT("day", shape_rate), { 0 } },
};

static const struct shape shape_worker = {
	.name = "JobWorker",
	.attrs = (const struct attr[]){ TEXT("host"), { .name = "queues", .type = ATTR_TEXTS }, INSTANT("started_at"), INSTANT("seen_at"), { 0 } },
};

static const struct shape shape_schedule = {
	.name = "JobSchedule",
	.attrs = (const struct attr[]){ TEXT("kind"), TEXT("about"), TEXT("cron"), TEXT("zone"), TEXT("backfill"),
		INSTANT_OR_NULL("last_at"), INSTANT_OR_NULL("next_at"), TEXT_OR_NULL("next_local"), { 0 } },
};

static const struct shape shape_summary = {
	.name = "JobSummary",
	.attrs = (const struct attr[]){ INT("waiting"), INT("running"), INT("dead"), INSTANT_OR_NULL("oldest_due_at"),
		LIST("queues", shape_queue), OBJECT("rates", shape_rates), LIST("workers", shape_worker),
		LIST("schedules", shape_schedule), { 0 } },
};

static const char *const states[] = { "waiting", "running", "done", "dead", "cancelled", "expired", NULL };

static const struct field list_fields[] = {
	{ .name = "state", .type = FIELD_CHOICE, .choices = states },
	{ .name = "kind", .type = FIELD_TEXT, .max = 100 },
	{ .name = "queue", .type = FIELD_TEXT, .max = 63 },
	FIELDS_OF_LIST,
	{ 0 },
};

/* SQL gives all but when schedules run next. */
static enum err with_next(struct call *c)
{
	enum err e = call_run(c);

	if (e)
		return e;
	c->document = json_trusted(c->rq->mem, c->doc);
	c->doc = NULL;
	schedules_put_next(json_object_object_get(c->document, "schedules"), clock_now_us() / 1000000);
	return OK;
}

const struct route jobs_routes[] = {
	{
		.name = "jobs.overview",
		.page = "GET /settings/jobs",
		.need = PERM_JOBS_VIEW,
		.view = "settings/jobs",
		.title = N_("Background work"),
		.forms = { "jobs.retry", "jobs.cancel", "jobs.delete", "jobs.restore" },
		.query = "jobs_overview",
		.fn = with_next,
	},
	{
		.name = "jobs.summary",
		.summary = "What waits, how much was done, who works, and the schedules",
		.api = "GET /jobs/summary",
		.need = PERM_JOBS_VIEW,
		.reply = &shape_summary,
		.query = "jobs_summary",
		.fn = with_next,
	},
	{
		.name = "jobs.list",
		.summary = "Jobs of the organization, the newest first",
		.api = "GET /jobs",
		.need = PERM_JOBS_VIEW,
		.flags = ROUTE_MANY,
		.fields = list_fields,
		.reply = &shape_job,
	},
	{
		.name = "jobs.get",
		.summary = "One job",
		.api = "GET /jobs/{job_id}",
		.need = PERM_JOBS_VIEW,
		.reply = &shape_job,
	},
	{
		.name = "jobs.retry",
		.summary = "Run a job now that failed for good, was cancelled, or waits for later",
		.api = "POST /jobs/{job_id}/retry",
		.page = "POST /settings/jobs/{job_id}/retry",
		.need = PERM_JOBS_VIEW,
		.flags = ROUTE_WRITE,
		.reply = &shape_job,
		.on = "jobs.overview",
		.then = "/settings/jobs",
		.done = N_("The job runs again."),
	},
	{
		.name = "jobs.cancel",
		.summary = "Cancel a job; one that runs is told to come to an end",
		.api = "POST /jobs/{job_id}/cancel",
		.page = "POST /settings/jobs/{job_id}/cancel",
		.need = PERM_JOBS_VIEW,
		.flags = ROUTE_WRITE,
		.reply = &shape_job,
		.on = "jobs.overview",
		.then = "/settings/jobs",
		.done = N_("The job is told to end."),
	},
	{
		.name = "jobs.delete",
		.summary = "Drop a job that does not run",
		.api = "DELETE /jobs/{job_id}",
		.page = "POST /settings/jobs/{job_id}/delete",
		.need = PERM_JOBS_VIEW,
		.flags = ROUTE_WRITE | ROUTE_DELETES,
		.on = "jobs.overview",
		.then = "/settings/jobs",
		.done = N_("Job dropped."),
		.undo = "jobs.restore",
	},
	{
		.name = "jobs.restore",
		.summary = "Take a dropped job back, within a day",
		.api = "POST /jobs/{job_id}/restore",
		.page = "POST /settings/jobs/{job_id}/restore",
		.need = PERM_JOBS_VIEW,
		.flags = ROUTE_WRITE,
		.reply = &shape_job,
		.on = "jobs.overview",
		.then = "/settings/jobs",
		.done = N_("Job restored."),
	},
	{ 0 },
};
