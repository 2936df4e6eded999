/* See page_forms.h. Every declared field is there in every form, so that strict templates find their names. */
#include "app/page_forms.h"

#include <string.h>

#include "app/problem.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "domain/duration.h"

static bool is_of_document(const struct call *c, const struct route *form)
{
	return c->document && !(form->flags & ROUTE_CREATES) && (form->flags & ROUTE_WRITE);
}

/* doc.project_id, or doc.project.id where the page's row carries the whole project. */
static bool document_value(const struct call *c, const char *name, struct json_object **value)
{
	size_t len = strlen(name);
	struct json_object *whole = NULL;

	if (json_object_object_get_ex(c->document, name, value))
		return true;
	if (len < 4 || !str_ends(name, "_id"))
		return false;
	if (!json_object_object_get_ex(c->document, mem_strndup(c->rq->mem, name, len - 3), &whole))
		return false;
	return json_object_is_type(whole, json_type_object) &&
		json_object_object_get_ex(whole, "id", value);
}

static enum duration_style style_of(const struct call *c)
{
	struct json_object *person = NULL, *value = NULL;
	bool decimal = c->frame && json_object_object_get_ex(c->frame, "person", &person) &&
		json_object_object_get_ex(person, "decimal_durations", &value) &&
		json_object_get_boolean(value);

	return decimal ? DURATION_DECIMAL : DURATION_CLOCK;
}

static struct json_object *shown(const struct call *c, const struct field *f,
	struct json_object *value)
{
	char text[DURATION_TEXT];

	if (!value)
		return json_object_new_string("");
	if (f->type == FIELD_DURATION && json_object_is_type(value, json_type_int)) {
		duration_format_input(json_object_get_int64(value), style_of(c), text);
		return json_object_new_string(text);
	}
	return json_object_get(value);
}

static struct json_object *typed(struct request *rq, const struct call *failed,
	const struct field *f)
{
	const char *text = pairs_get(&failed->in.raw, f->name);
	struct json_object *list = NULL;

	if (field_is_list(f)) {
		if (failed->in.values &&
			json_object_object_get_ex(failed->in.values, f->name, &list) && list)
			return json_object_get(list);
		return json_object_new_array();
	}
	(void)rq;
	if (f->type != FIELD_BOOL)
		return json_object_new_string(text ? text : "");
	/* The box comes behind its hidden "false": the last one counts. */
	for (size_t i = 0; i < failed->in.raw.count; i++) {
		if (str_eq(failed->in.raw.items[i].name, f->name))
			text = failed->in.raw.items[i].value;
	}
	return json_object_new_boolean(str_eq(text, "true"));
}

static struct json_object *fallback(const struct field *f)
{
	if (f->type == FIELD_BOOL)
		return json_object_new_boolean(str_eq(f->dflt, "true"));
	if (field_is_list(f))
		return json_object_new_array();
	return json_object_new_string(f->dflt ? f->dflt : "");
}

static struct json_object *value_of(struct call *c, const struct route *form,
	const struct call *failed, const struct field *f)
{
	struct json_object *value = NULL;

	if (f->type == FIELD_PASSWORD)
		return json_object_new_string("");
	if (failed && failed->route == form)
		return typed(c->rq, failed, f);
	if (c->in.values && c->face->method == METHOD_GET &&
		json_object_object_get_ex(c->in.values, f->name, &value))
		return shown(c, f, value);
	if (is_of_document(c, form) && document_value(c, f->name, &value))
		return shown(c, f, value);
	return fallback(f);
}

/* SQL speaks of instants; a person typed the clock time that became one. */
static const char *field_on_form(struct json_object *errors, const char *field)
{
	const char *typed_as = !field ? NULL : str_eq(field, "started_at") ? "start"
		: str_eq(field, "ended_at")				   ? "end"
									   : NULL;

	return typed_as && json_object_object_get_ex(errors, typed_as, NULL) ? typed_as : field;
}

static void put_messages(struct json_object *form, const struct call *failed)
{
	struct json_object *errors = NULL, *codes = NULL;
	const char *field;
	bool placed = failed->in.nerrors > 0;

	json_object_object_get_ex(form, "errors", &errors);
	json_object_object_get_ex(form, "codes", &codes);
	for (int i = 0; i < failed->in.nerrors; i++) {
		const struct field_error *e = &failed->in.errors[i];

		json_object_object_add(errors, e->field, json_object_new_string(e->message));
		json_object_object_add(codes, e->field,
			json_object_new_string(err_info(e->err)->code));
	}
	field = field_on_form(errors, failed->field);
	if (!placed && field &&
		json_object_object_get_ex(errors, field, NULL)) {
		json_object_object_add(errors, field,
			json_object_new_string(problem_detail(failed)));
		json_object_object_add(codes, field,
			json_object_new_string(err_info(failed->err)->code));
		placed = true;
	}
	if (!placed)
		json_object_object_add(form, "error",
			json_object_new_string(problem_detail(failed)));
	json_object_object_add(form, "failed", json_object_new_boolean(true));
}

static void put_form(struct call *c, struct json_object *forms, const struct route *form,
	const struct call *failed)
{
	struct json_object *o = json_object_new_object(), *values = json_object_new_object();
	struct json_object *errors = json_object_new_object(), *codes = json_object_new_object();

	for (const struct field *f = form->fields; f && f->name; f++) {
		if (f->flags & F_API)
			continue;
		json_object_object_add(values, f->name, value_of(c, form, failed, f));
		json_object_object_add(errors, f->name, json_object_new_boolean(false));
		json_object_object_add(codes, f->name, json_object_new_boolean(false));
	}
	json_object_object_add(o, "values", values);
	json_object_object_add(o, "errors", errors);
	json_object_object_add(o, "codes", codes);
	json_object_object_add(o, "error", json_object_new_boolean(false));
	json_object_object_add(o, "failed", json_object_new_boolean(false));
	if (failed && failed->route == form)
		put_messages(o, failed);
	json_object_object_add(forms, route_symbol(c->rq->mem, form->name), o);
}

static void put_named(struct call *c, struct json_object *forms, const char *name,
	const struct call *failed)
{
	const struct face *face = routes_by_name(c->app->routes, name, true);

	if (!face)
		face = routes_by_name(c->app->routes, name, false);
	if (face)
		put_form(c, forms, face->route, failed);
}

struct json_object *page_forms(struct call *c, const struct call *failed)
{
	struct json_object *forms = json_object_new_object();

	for (size_t i = 0; i < sizeof c->route->forms / sizeof *c->route->forms; i++) {
		if (c->route->forms[i])
			put_named(c, forms, c->route->forms[i], failed);
	}
	if (c->route->fields)
		put_form(c, forms, c->route, failed);
	/* The timer bar stands on every page of a signed-in person. */
	if (!json_object_object_get_ex(forms, "timer_start", NULL))
		put_named(c, forms, "timer.start", failed);
	return forms;
}
