/*
 * What Stint writes in Celery's ways: the names of keys, and a message that a real worker takes. The headers and properties are those
 * without which Celery 5 refuses or loses one. It is made the same for the same task, so that it can be found in its list again.
 */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "queue/celery.h"

void celery_keys(void *mem, const char *queue, const char *keys[CELERY_LISTS])
{
	keys[0] = mem_strdup(mem, queue);
	for (int i = 1; i < CELERY_LISTS; i++)
		keys[i] = mem_printf(mem, "%s\x06\x16%d", queue, 3 * i);
}

const char *celery_result_key(void *mem, const char *task_id)
{
	return mem_printf(mem, "celery-task-meta-%s", task_id);
}

static const char *base64(void *mem, const char *text)
{
	char *coded = str_base64url(mem, (const unsigned char *)text, strlen(text));

	for (char *c = coded; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	return mem_printf(mem, "%s%s", coded, &"=="[strlen(coded) % 4 == 2 ? 0 : strlen(coded) % 4 == 3 ? 1 : 2]);
}

static void put(struct json_object *o, const char *name, const char *text)
{
	json_object_object_add(o, name, text ? json_object_new_string(text) : NULL);
}

static const char *body_of(void *mem, const struct celery_task *t)
{
	struct json_object *body = json_own(mem, json_object_new_array()), *embed = json_object_new_object();

	json_object_array_add(body, t->args ? json_object_get(t->args) : json_object_new_array());
	json_object_array_add(body, t->kwargs ? json_object_get(t->kwargs) : json_object_new_object());
	put(embed, "callbacks", NULL);
	put(embed, "errbacks", NULL);
	put(embed, "chain", NULL);
	put(embed, "chord", NULL);
	json_object_array_add(body, embed);
	return base64(mem, json_text(mem, body));
}

static struct json_object *headers_of(const struct celery_task *t)
{
	struct json_object *h = json_object_new_object(), *limits = json_object_new_array();

	put(h, "lang", "py");
	put(h, "task", t->task);
	put(h, "id", t->id);
	put(h, "root_id", t->id);
	put(h, "parent_id", NULL);
	put(h, "group", NULL);
	put(h, "shadow", NULL);
	put(h, "eta", NULL);
	put(h, "expires", t->expires);
	json_object_object_add(h, "retries", json_object_new_int(0));
	json_object_array_add(limits, json_object_new_int64(t->limit_s));
	json_object_array_add(limits, NULL);
	json_object_object_add(h, "timelimit", limits);
	/* What workers log: not the arguments. */
	put(h, "argsrepr", "(…)");
	put(h, "kwargsrepr", "{…}");
	put(h, "origin", "stint");
	json_object_object_add(h, "ignore_result", json_object_new_boolean(false));
	return h;
}

static struct json_object *properties_of(const struct celery_task *t)
{
	struct json_object *p = json_object_new_object(), *delivery = json_object_new_object();

	put(p, "correlation_id", t->id);
	put(p, "reply_to", t->id);
	json_object_object_add(p, "delivery_mode", json_object_new_int(2));
	put(delivery, "exchange", "");
	put(delivery, "routing_key", t->queue);
	json_object_object_add(p, "delivery_info", delivery);
	json_object_object_add(p, "priority", json_object_new_int(0));
	put(p, "body_encoding", "base64");
	put(p, "delivery_tag", t->id);
	return p;
}

const char *celery_message(void *mem, const struct celery_task *t)
{
	struct json_object *m = json_own(mem, json_object_new_object());

	put(m, "body", body_of(mem, t));
	put(m, "content-encoding", "utf-8");
	put(m, "content-type", "application/json");
	json_object_object_add(m, "headers", headers_of(t));
	json_object_object_add(m, "properties", properties_of(t));
	return json_text(mem, m);
}
