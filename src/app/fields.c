/*
 * Reading input against the declared fields, from JSON or from a form. Both ways meet in field_store(),
 * so that a rule holds for programs and people alike. All errors are collected before anything is said,
 * and what people typed is kept for the form. Values end as typed JSON: what a query gets as :input.
 */
#include "app/fields.h"

#include <string.h>

#include "app/field_types.h"
#include "view/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

enum { LIST_MAX = 100 };

static const struct field *field_find(const struct field *fields, const char *name, bool page)
{
	unsigned hidden = page ? F_API : F_PAGE;

	for (const struct field *f = fields; f && f->name; f++) {
		if (str_eq(f->name, name) && !(f->flags & hidden))
			return f;
	}
	return NULL;
}

void input_error(struct request *rq, struct input *in, const char *field, enum err e,
	const char *message)
{
	for (int i = 0; i < in->nerrors; i++) {
		if (str_eq(in->errors[i].field, field))
			return; /* the first thing wrong with a field is the one to say */
	}
	in->errors = mem_grow(rq->mem, in->errors, struct field_error, (size_t)in->nerrors + 1);
	in->errors[in->nerrors++] = (struct field_error){
		.field = mem_strdup(rq->mem, field),
		.err = e,
		.message = message ? message : _(err_info(e)->detail),
	};
}

static void input_keep(struct request *rq, struct input *in, const char *name, const char *value)
{
	in->raw.items = mem_grow(rq->mem, in->raw.items, struct pair, in->raw.count + 1);
	in->raw.items[in->raw.count++] = (struct pair){ .name = name, .value = value };
}

static void input_start(struct request *rq, struct input *in)
{
	*in = (struct input){ .values = json_own(rq->mem, json_object_new_object()) };
}

static void input_put(struct input *in, const char *name, struct json_object *value)
{
	json_object_object_add(in->values, name, value);
}

bool field_is_list(const struct field *f)
{
	return f->type == FIELD_UUIDS || f->type == FIELD_TEXTS;
}

/* One of a list. */
static enum err item_parse(struct request *rq, const struct field *f, const char *text,
	struct json_object **value, const char **message)
{
	static const struct field line = { .type = FIELD_TEXT, .flags = F_REQUIRED, .max = 100 };

	if (f->type == FIELD_UUIDS)
		return field_parse_id(rq->mem, text, value, message);
	return field_parse(rq->mem, &line, DURATION_CLOCK, text, value, message);
}

/* One value, as text, into the typed document. */
static void field_store(struct request *rq, const struct field *f, const char *text,
	struct input *in)
{
	struct json_object *value = NULL;
	const char *message = NULL;
	enum err e = field_parse(rq->mem, f, in->durations, text, &value, &message);

	if (e)
		input_error(rq, in, f->name, e, message);
	else
		input_put(in, f->name, value);
}

static void field_store_list(struct request *rq, const struct field *f, struct json_object *array,
	struct input *in)
{
	struct json_object *out = json_own(rq->mem, json_object_new_array());
	size_t n = json_object_array_length(array);
	size_t most = f->max ? (size_t)f->max : LIST_MAX;

	if (n > most) {
		input_error(rq, in, f->name, ERR_TOO_LONG,
			mem_printf(rq->mem, _("At most %zu of these."), most));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(array, i);
		struct json_object *value = NULL;
		const char *message = NULL;
		enum err e = ERR_TYPE;

		if (json_object_is_type(item, json_type_string))
			e = item_parse(rq, f, json_object_get_string(item), &value, &message);
		if (e) {
			input_error(rq, in, f->name, e, message);
			return;
		}
		json_object_array_add(out, value);
	}
	input_put(in, f->name, json_object_get(out));
}

/* The JSON types a field takes, besides text that it parses itself. */
static enum err field_from_json(struct request *rq, const struct field *f, struct json_object *value,
	struct input *in)
{
	enum json_type type = json_object_get_type(value);

	if (type == json_type_null) {
		if (!(f->flags & F_NULL))
			return ERR_REQUIRED;
		input_put(in, f->name, NULL);
		return OK;
	}
	if (field_is_list(f)) {
		if (type != json_type_array)
			return ERR_TYPE;
		field_store_list(rq, f, value, in);
		return OK;
	}
	if (f->type == FIELD_BOOL ? type != json_type_boolean : f->type == FIELD_INT ? type != json_type_int
			: f->type == FIELD_DURATION                                  ? type != json_type_int && type != json_type_string
										     : type != json_type_string)
		return ERR_TYPE;
	if (f->type == FIELD_DURATION && type == json_type_int) {
		const char *message = NULL;
		struct json_object *seconds = NULL;
		enum err e = field_parse_seconds(rq->mem, f, json_object_get_int64(value), &seconds,
			&message);
		if (e)
			input_error(rq, in, f->name, e, message);
		else
			input_put(in, f->name, seconds);
		return OK;
	}
	field_store(rq, f, json_object_get_string(value), in);
	return OK;
}

static void fields_required(struct request *rq, const struct field *fields, bool page,
	struct input *in)
{
	unsigned hidden = page ? F_API : F_PAGE;

	for (const struct field *f = fields; f && f->name; f++) {
		if (f->flags & hidden)
			continue;
		if (json_object_object_get_ex(in->values, f->name, NULL))
			continue;
		if (f->dflt)
			field_store(rq, f, f->dflt, in);
		else if ((f->flags & F_REQUIRED) && !(f->flags & F_PATCH))
			input_error(rq, in, f->name, ERR_REQUIRED, NULL);
	}
}

void fields_defaults(struct request *rq, const struct field *fields, struct input *in)
{
	if (!in->values)
		input_start(rq, in);
	for (const struct field *f = fields; f && f->name; f++) {
		if (f->dflt)
			field_store(rq, f, f->dflt, in);
	}
}

static const char *type_message(struct request *rq, const struct field *f)
{
	return mem_printf(rq->mem, _("This must be %s."), field_type_name(f->type));
}

enum err fields_from_json(struct request *rq, const struct field *fields, struct input *in)
{
	struct json_object *body = NULL;
	const char *where = NULL;
	enum err e;

	input_start(rq, in);
	if (rq->body_len) {
		e = json_parse(rq->mem, rq->body, rq->body_len, &body, &where);
		if (e) {
			in->where = where;
			return e;
		}
		if (!json_object_is_type(body, json_type_object)) {
			in->where = _("The body must be a JSON object.");
			return ERR_JSON_SYNTAX;
		}
		json_object_object_foreach(body, name, value)
		{
			const struct field *f = field_find(fields, name, false);

			if (!f) {
				input_error(rq, in, name, ERR_UNKNOWN_FIELD, NULL);
				continue;
			}
			e = field_from_json(rq, f, value, in);
			if (e)
				input_error(rq, in, f->name, e,
					e == ERR_TYPE ? type_message(rq, f) : NULL);
		}
	}
	fields_required(rq, fields, false, in);
	return in->nerrors ? ERR_INVALID : OK;
}

#define DURATION_STYLE "duration_style"

/* Form fields that every page form may carry; the gate, the journey and this file read them. */
static bool is_form_own(const char *name)
{
	return str_eq(name, "csrf") || str_eq(name, "return_to") || str_eq(name, "version") ||
		str_eq(name, DURATION_STYLE);
}

static void form_list_add(struct request *rq, const struct field *f, const char *text,
	struct input *in)
{
	struct json_object *list = NULL, *value = NULL;
	const char *message = NULL;
	enum err e;

	if (!json_object_object_get_ex(in->values, f->name, &list)) {
		list = json_object_new_array();
		input_put(in, f->name, list);
	}
	if (!*text)
		return; /* the empty marker that says: the list was on the form */
	e = item_parse(rq, f, text, &value, &message);
	if (!e && json_object_array_length(list) >= (size_t)(f->max ? f->max : LIST_MAX))
		e = ERR_TOO_LONG;
	if (e)
		input_error(rq, in, f->name, e, message);
	else
		json_object_array_add(list, value);
}

static void form_one(struct request *rq, const struct field *f, const char *text, struct input *in)
{
	bool seen = json_object_object_get_ex(in->values, f->name, NULL);

	if (f->type != FIELD_PASSWORD)
		input_keep(rq, in, f->name, text);
	if (field_is_list(f)) {
		form_list_add(rq, f, text, in);
		return;
	}
	/* A checkbox comes behind a hidden "false": the later one counts. All else twice is a mistake. */
	if (seen && f->type != FIELD_BOOL) {
		input_error(rq, in, f->name, ERR_DUPLICATE_FIELD, NULL);
		return;
	}
	if (!*text && (f->flags & F_NULL))
		input_put(in, f->name, NULL);
	else if (!*text && (f->flags & F_REQUIRED))
		input_error(rq, in, f->name, ERR_REQUIRED, NULL);
	else if (*text || f->type == FIELD_TEXT || f->type == FIELD_LONGTEXT)
		field_store(rq, f, text, in);
}

enum err fields_from_form(struct request *rq, const struct field *fields, const struct pairs *sent,
	bool page, struct input *in)
{
	input_start(rq, in);
	if (page && str_eq(pairs_get(sent, DURATION_STYLE), "decimal"))
		in->durations = DURATION_DECIMAL;
	for (size_t i = 0; i < sent->count; i++) {
		const char *name = sent->items[i].name;
		const struct field *f = field_find(fields, name, page);

		if (f)
			form_one(rq, f, sent->items[i].value, in);
		else if (!page || !is_form_own(name))
			input_error(rq, in, name, ERR_UNKNOWN_FIELD, NULL);
	}
	fields_required(rq, fields, page, in);
	return in->nerrors ? ERR_INVALID : OK;
}
