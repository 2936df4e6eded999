/*
 * Values as text, as numbers, as yes or no: the one place that says how JSON becomes what people
 * read.
 */
#include "view/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define NUMBER_TEXT 32

struct value value_of(struct json_object *json)
{
	return (struct value){ .json = json };
}

struct value value_get(const struct value *v, const char *key)
{
	struct json_object *found = NULL;

	if (v->json && json_object_is_type(v->json, json_type_object))
		json_object_object_get_ex(v->json, key, &found);
	return value_of(found);
}

bool value_is_true(const struct value *v)
{
	if (v->text)
		return v->len > 0;
	switch (json_object_get_type(v->json)) {
	case json_type_null:
		return false;
	case json_type_boolean:
		return json_object_get_boolean(v->json);
	case json_type_int:
		return json_object_get_int64(v->json) != 0;
	case json_type_double:
		return json_object_get_double(v->json) < 0 || json_object_get_double(v->json) > 0;
	case json_type_string:
		return json_object_get_string_len(v->json) > 0;
	case json_type_array:
		return json_object_array_length(v->json) > 0;
	case json_type_object:
		break;
	}
	return true;
}

bool value_is_empty(const struct value *v)
{
	if (v->text)
		return !v->len;
	return !v->json ||
		(json_object_is_type(v->json, json_type_string) &&
			!json_object_get_string_len(v->json));
}

/* The fewest digits that read back as the same number. */
static const char *double_text(void *mem, double d)
{
	char text[NUMBER_TEXT];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, d);
		if (fabs(strtod(text, NULL) - d) <= 0)
			break;
	}
	return mem_strdup(mem, text);
}

const char *value_text(void *mem, const struct value *v, size_t *len)
{
	const char *text;

	if (v->text) {
		*len = v->len;
		return v->text;
	}
	switch (json_object_get_type(v->json)) {
	case json_type_null:
		text = "";
		break;
	case json_type_string:
		*len = (size_t)json_object_get_string_len(v->json);
		return json_object_get_string(v->json);
	case json_type_boolean:
		text = json_object_get_boolean(v->json) ? "true" : "false";
		break;
	case json_type_int:
		text = mem_printf(mem, "%lld", (long long)json_object_get_int64(v->json));
		break;
	case json_type_double:
		text = double_text(mem, json_object_get_double(v->json));
		break;
	default:
		text = mem_strdup(
			mem, json_object_to_json_string_ext(v->json, JSON_C_TO_STRING_PLAIN));
		break;
	}
	*len = strlen(text);
	return text;
}

bool value_int(const struct value *v, int64_t *out)
{
	double d;

	if (v->text)
		return str_to_int(v->text, INT64_MIN, INT64_MAX, out);
	if (json_object_is_type(v->json, json_type_string))
		return str_to_int(json_object_get_string(v->json), INT64_MIN, INT64_MAX, out);
	if (json_object_is_type(v->json, json_type_double)) {
		d = json_object_get_double(v->json);
		if (!(d > -9e18 && d < 9e18))
			return false;
		*out = (int64_t)d;
		return true;
	}
	*out = json_object_get_int64(v->json);
	return json_object_is_type(v->json, json_type_int);
}
