#ifndef STINT_QUEUE_CELERY_H
#define STINT_QUEUE_CELERY_H
/*
 * Celery's message protocol, version 2, in kombu's Redis layout: texts in, texts out. Nothing is asked or stored here.
 */
#include <stddef.h>

#include "queue/job.h"

/* Where kombu keeps what is sent to a queue: four lists, the one of priority 0 first. Below mem. */
enum { CELERY_LISTS = 4 };
void celery_keys(void *mem, const char *queue, const char *keys[CELERY_LISTS]);
/* Where a result is kept and told. Below mem. */
const char *celery_result_key(void *mem, const char *task_id);
enum { CELERY_RESULT_S = 86400 };

/*
 * A message as jobs.intake (sql/functions/93-celery.sql) takes it: {mark, head, task_id, task, ignore, …} and, when it is a call of one
 * of the public kinds, {id, args, retries, priority, due_at, expires_at}, else {refused: why, module, type: the exception
 * its sender gets}. Never NULL; belongs to mem.
 */
struct json_object *celery_read(void *mem, const struct job_kind *const *kinds, const char *data, size_t len);

/* A message for a real worker. args: a list, kwargs: an object; either may be NULL. expires: an instant. Below mem; the same for the
 * same, byte by byte. */
struct celery_task {
	const char *queue, *task, *id, *expires;
	struct json_object *args, *kwargs;
	int64_t limit_s;
};
const char *celery_message(void *mem, const struct celery_task *t);

#endif
