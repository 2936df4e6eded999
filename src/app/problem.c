/* See problem.h. Nothing of the database's own words comes through here: only errors.def and our messages. */
#include "app/problem.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "view/i18n.h"

static void put(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, json_object_new_string(value));
}

const char *problem_detail(const struct call *c)
{
	if (c->message)
		return c->message;
	if (c->in.where)
		return c->in.where;
	return _(err_info(c->err)->detail);
}

static void put_error(struct json_object *list, const char *field, enum err e, const char *message)
{
	struct json_object *o = json_object_new_object();

	put(o, "field", field);
	put(o, "code", err_info(e)->code);
	put(o, "message", message);
	json_object_array_add(list, o);
}

static struct json_object *errors_list(const struct call *c)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < c->in.nerrors; i++)
		put_error(list, c->in.errors[i].field, c->in.errors[i].err,
			c->in.errors[i].message);
	if (!c->in.nerrors && c->field)
		put_error(list, c->field, c->err, problem_detail(c));
	return list;
}

static void put_extra(struct call *c, struct json_object *o)
{
	struct json_object *extra = c->extra ? json_trusted(c->rq->mem, c->extra) : NULL;

	if (!json_object_is_type(extra, json_type_object))
		return;
	json_object_object_foreach(extra, name, value)
		json_object_object_add(o, name, json_object_get(value));
}

void problem_answer(struct call *c)
{
	const struct err_info *info = err_info(c->err);
	struct json_object *o = json_own(c->rq->mem, json_object_new_object());
	const char *text;

	put(o, "type", mem_printf(c->rq->mem, "urn:stint:error:%s", info->code));
	put(o, "title", _(info->title));
	json_object_object_add(o, "status", json_object_new_int(info->status));
	put(o, "code", info->code);
	put(o, "detail", problem_detail(c));
	put(o, "request_id", c->rq->id);
	if (c->in.nerrors || c->field)
		json_object_object_add(o, "errors", errors_list(c));
	put_extra(c, o);
	text = json_text(c->rq->mem, o);
	if (info->status == 401)
		res_header(c->rq, "WWW-Authenticate", "Bearer");
	if (info->status == 503)
		res_header(c->rq, "Retry-After", "2");
	res_body(c->rq, info->status, "application/problem+json", text, strlen(text));
}
