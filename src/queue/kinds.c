/* Kinds of jobs: found by name, declared to PostgreSQL. See job.h. */
#include "queue/kinds.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

enum { ATTEMPTS = 20, SOFT_S = 60, MERCY_S = 30 };

const struct job_kind *job_kind_find(const struct job_kind *const *kinds, const char *name)
{
	int at = job_kind_place(kinds, name);

	return at < 0 ? NULL : kinds[at];
}

int job_kind_place(const struct job_kind *const *kinds, const char *name)
{
	for (int i = 0; kinds[i]; i++)
		if (str_eq(kinds[i]->name, name))
			return i;
	return -1;
}

int64_t job_kind_soft_s(const struct job_kind *k)
{
	return k->soft_s ? k->soft_s : SOFT_S;
}

int64_t job_kind_hard_s(const struct job_kind *k)
{
	return k->hard_s ? k->hard_s : job_kind_soft_s(k) + MERCY_S;
}

static void put_text(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, value ? json_object_new_string(value) : NULL);
}

static void put_int(struct json_object *o, const char *name, int64_t value)
{
	json_object_object_add(o, name, json_object_new_int64(value));
}

static struct json_object *kind_row(const struct job_kind *k)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "kind", k->name);
	put_text(o, "about", k->about);
	put_text(o, "queue", k->queue ? k->queue : "default");
	put_int(o, "priority", k->priority);
	put_int(o, "max_attempts", k->max_attempts ? k->max_attempts : ATTEMPTS);
	json_object_object_add(o, "quick", json_object_new_boolean(k->quick));
	json_object_object_add(o, "public", json_object_new_boolean(k->is_public));
	put_int(o, "soft_s", job_kind_soft_s(k));
	put_int(o, "hard_s", job_kind_hard_s(k));
	put_int(o, "rate_per_minute", k->rate_per_minute);
	put_int(o, "keep_s", k->keep_s);
	put_text(o, "schedule", k->schedule);
	put_text(o, "zone", k->schedule ? (k->zone ? k->zone : "UTC") : NULL);
	put_text(o, "backfill", k->schedule ? (k->backfill ? k->backfill : "last") : NULL);
	return o;
}

const char *job_kinds_json(void *mem, const struct job_kind *const *kinds)
{
	struct json_object *list = json_own(mem, json_object_new_array());

	for (int i = 0; kinds[i]; i++)
		json_object_array_add(list, kind_row(kinds[i]));
	return json_text(mem, list);
}

enum err job_enqueue(struct db *db, void *mem, const char *kind, const char *args, const char *options, const char **id)
{
	const struct db_stmt stmt = db_bind(mem, "jobs_enqueue",
		(const char *const[]){ "kind", kind, "args", args, "options", options, NULL });
	struct db_result *rows = NULL;
	enum err e = db_run(db, mem, &stmt, 1, false, &rows, NULL);

	if (!e && id)
		*id = mem_strdup(mem, db_text(rows, 0, "id"));
	return e;
}
