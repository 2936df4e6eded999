/*
 * stint.summary: tracked time of some members in some local days, by member and by project, for callers from outside (a payroll
 * script, a sheet). One query does the sums (sql/queries/celery.sql); whose members there are is decided by the job's
 * organization, never by the arguments.
 */
#include <string.h>

#include "base/iso8601.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "base/buf.h"
#include "domain/zones.h"
#include "jobs/jobs.h"

enum { MEMBERS_MOST = 500, DAYS_MOST = 366 };

static enum job_end invalid(struct job *j, const char *what)
{
	job_why(j, JOB_WHY_INVALID "%s", what);
	return JOB_DEAD;
}

/* PostgreSQL's text of an array; NULL when it is no list of UUIDs. */
static const char *ids_of(struct job *j)
{
	struct json_object *list = json_object_object_get(j->args, "member_ids");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	struct buf b;

	if (n < 1 || n > MEMBERS_MOST)
		return NULL;
	buf_init(&b, j->mem);
	for (size_t i = 0; i < n; i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		char id[UUID_TEXT];

		if (!json_object_is_type(one, json_type_string) || !uuid_normalize(json_object_get_string(one), id))
			return NULL;
		buf_printf(&b, "%c%s", i ? ',' : '{', id);
	}
	buf_putc(&b, '}');
	return b.data;
}

static bool is_null(struct job *j, const char *name)
{
	return json_object_object_get(j->args, name) == NULL;
}

/* What is wrong with the arguments, or NULL. */
static const char *fault(struct job *j, const char *ids)
{
	const char *from = job_arg(j, "from"), *to = job_arg(j, "to"), *zone = job_arg(j, "zone");
	struct date first, last;

	if (!j->organization_id)
		return "a summary is of an organization";
	if (!ids)
		return "member_ids: a list of 1 to 500 ids of members";
	if (!from || !date_parse(from, &first))
		return "from: a day, like 2026-11-01";
	if (!to || !date_parse(to, &last))
		return "to: a day, like 2026-11-30";
	if (date_to_days(last) < date_to_days(first))
		return "to: lies before from";
	if (date_to_days(last) - date_to_days(first) >= DAYS_MOST)
		return "to: at most 366 days at once";
	if (!is_null(j, "zone") && (!zone || !zone_is_valid(zone)))
		return "zone: a time zone, like Europe/Berlin; without one it is the organization's";
	return NULL;
}

static enum job_end run(struct job *j)
{
	const char *ids = ids_of(j), *wrong = fault(j, ids);
	struct db_result *rows = NULL;

	if (wrong)
		return invalid(j, wrong);
	if (job_read(j, "summary_get",
		    (const char *const[]){ "member_ids", ids, "from", job_arg(j, "from"), "to", job_arg(j, "to"), "zone",
			    job_arg(j, "zone"), NULL },
		    &rows)) {
		job_why(j, "the database gave no summary");
		return JOB_RETRY;
	}
	if (!str_eq(db_text(rows, 0, "unknown"), "0"))
		return invalid(j, mem_printf(j->mem, "member_ids: %s of them are nobody's in this organization", db_text(rows, 0, "unknown")));
	job_result(j, json_object_get(json_trusted(j->mem, db_text(rows, 0, "doc"))));
	return JOB_OK;
}

static const char *const params[] = { "member_ids", "from", "to", "zone", NULL };

const struct job_kind job_stint_summary = {
	.name = "stint.summary",
	.about = "sums up the tracked time of members, by member and by project",
	.priority = 3,
	.max_attempts = 5,
	.is_public = true,
	.params = params,
	.run = run,
};
