/* See openapi_schema.h. A reply may have no attribute its shape does not name: so a test notices what was added in passing. */
#include "app/openapi_schema.h"

#include <stdio.h>

static const char *const attr_schemas[] = {
	[ATTR_ID] = "{\"type\":\"string\",\"format\":\"uuid\"}",
	[ATTR_TEXT] = "{\"type\":\"string\"}",
	[ATTR_INT] = "{\"type\":\"integer\"}",
	[ATTR_BOOL] = "{\"type\":\"boolean\"}",
	[ATTR_INSTANT] = "{\"type\":\"string\",\"format\":\"date-time\"}",
	[ATTR_DATE] = "{\"type\":\"string\",\"format\":\"date\"}",
	[ATTR_SECONDS] = "{\"type\":\"integer\"}",
	[ATTR_IDS] = "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"format\":\"uuid\"}}",
	[ATTR_TEXTS] = "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}",
	[ATTR_ANY] = "{}",
};

static const char *const field_schemas[] = {
	[FIELD_TEXT] = "{\"type\":\"string\"}",
	[FIELD_LONGTEXT] = "{\"type\":\"string\"}",
	[FIELD_PASSWORD] = "{\"type\":\"string\",\"format\":\"password\"}",
	[FIELD_EMAIL] = "{\"type\":\"string\",\"format\":\"email\"}",
	[FIELD_BOOL] = "{\"type\":\"boolean\"}",
	[FIELD_INT] = "{\"type\":\"integer\"}",
	[FIELD_UUID] = "{\"type\":\"string\",\"format\":\"uuid\"}",
	[FIELD_UUIDS] = "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"format\":\"uuid\"}}",
	[FIELD_TEXTS] = "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}",
	[FIELD_INSTANT] = "{\"type\":\"string\",\"format\":\"date-time\"}",
	[FIELD_DATE] = "{\"type\":\"string\",\"format\":\"date\"}",
	[FIELD_CLOCK] = "{\"type\":\"string\"}",
	[FIELD_DURATION] = "{\"type\":[\"integer\",\"string\"]}",
	[FIELD_ZONE] = "{\"type\":\"string\"}",
	[FIELD_CHOICE] = "{\"type\":\"string\"}",
};

static struct json_object *parsed(const char *text)
{
	return json_tokener_parse(text);
}

static void put(struct json_object *o, const char *name, struct json_object *value)
{
	json_object_object_add(o, name, value);
}

struct json_object *schema_id(void)
{
	return parsed(attr_schemas[ATTR_ID]);
}

struct json_object *schema_text(void)
{
	return parsed(attr_schemas[ATTR_TEXT]);
}

struct json_object *schema_ref(const char *name)
{
	struct json_object *o = json_object_new_object();
	char ref[128];

	snprintf(ref, sizeof ref, "#/components/schemas/%s", name);
	put(o, "$ref", json_object_new_string(ref));
	return o;
}

static struct json_object *or_null(struct json_object *schema)
{
	struct json_object *o = json_object_new_object(), *any = json_object_new_array();

	json_object_array_add(any, schema);
	json_object_array_add(any, parsed("{\"type\":\"null\"}"));
	put(o, "anyOf", any);
	return o;
}

static struct json_object *list_of(struct json_object *items)
{
	struct json_object *o = parsed("{\"type\":\"array\"}");

	put(o, "items", items);
	return o;
}

static struct json_object *schema_attr(const struct attr *a)
{
	struct json_object *o = a->type == ATTR_OBJECT ? schema_ref(a->of->name) : a->type == ATTR_LIST ? list_of(schema_ref(a->of->name))
													: parsed(attr_schemas[a->type]);

	return a->nullable ? or_null(o) : o;
}

static void field_limits(struct json_object *o, const struct field *f)
{
	bool text = f->type == FIELD_TEXT || f->type == FIELD_LONGTEXT || f->type == FIELD_PASSWORD;

	if (text && f->max)
		put(o, "maxLength", json_object_new_int64(f->max));
	if (text && f->min)
		put(o, "minLength", json_object_new_int64(f->min));
	if (f->type == FIELD_INT) {
		put(o, "minimum", json_object_new_int64(f->min));
		if (f->max)
			put(o, "maximum", json_object_new_int64(f->max));
	}
	if (field_is_list(f) && f->max)
		put(o, "maxItems", json_object_new_int64(f->max));
}

struct json_object *schema_field(const struct field *f)
{
	struct json_object *o = parsed(field_schemas[f->type]);

	field_limits(o, f);
	if (f->type == FIELD_CHOICE) {
		struct json_object *list = json_object_new_array();

		for (int i = 0; f->choices[i]; i++)
			json_object_array_add(list, json_object_new_string(f->choices[i]));
		put(o, "enum", list);
	}
	if (f->text)
		put(o, "description", json_object_new_string(f->text));
	return f->flags & F_NULL ? or_null(o) : o;
}

struct json_object *schema_input(const struct route *route)
{
	struct json_object *o = parsed("{\"type\":\"object\",\"additionalProperties\":false}");
	struct json_object *properties = json_object_new_object(), *required = json_object_new_array();

	for (const struct field *f = route->fields; f->name; f++) {
		if (f->flags & F_PAGE)
			continue;
		put(properties, f->name, schema_field(f));
		if ((f->flags & F_REQUIRED) && !(f->flags & F_PATCH))
			json_object_array_add(required, json_object_new_string(f->name));
	}
	put(o, "properties", properties);
	put(o, "required", required);
	return o;
}

static struct json_object *schema_shape(const struct shape *shape)
{
	struct json_object *o = parsed("{\"type\":\"object\",\"additionalProperties\":false}");
	struct json_object *properties = json_object_new_object(), *required = json_object_new_array();

	for (const struct attr *a = shape->attrs; a->name; a++) {
		put(properties, a->name, schema_attr(a));
		if (!a->optional)
			json_object_array_add(required, json_object_new_string(a->name));
	}
	put(o, "properties", properties);
	put(o, "required", required);
	return o;
}

void schema_collect(struct json_object *schemas, const struct shape *shape)
{
	if (json_object_object_get_ex(schemas, shape->name, NULL))
		return;
	put(schemas, shape->name, schema_shape(shape));
	for (const struct attr *a = shape->attrs; a->name; a++) {
		if (a->of)
			schema_collect(schemas, a->of);
	}
}

struct json_object *schema_reply(const struct route *route)
{
	struct json_object *o, *properties;

	if (!(route->flags & ROUTE_MANY))
		return schema_ref(route->reply->name);
	o = parsed("{\"type\":\"object\",\"additionalProperties\":false,"
		   "\"required\":[\"data\",\"next_cursor\"]}");
	properties = json_object_new_object();
	put(properties, "data", list_of(schema_ref(route->reply->name)));
	put(properties, "next_cursor", parsed("{\"type\":[\"string\",\"null\"]}"));
	put(o, "properties", properties);
	return o;
}

struct json_object *schema_problem(void)
{
	return parsed("{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\",\"code\","
		      "\"detail\",\"request_id\"],\"properties\":{\"type\":{\"type\":\"string\"},"
		      "\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
		      "\"code\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"},"
		      "\"request_id\":{\"type\":\"string\"},\"errors\":{\"type\":\"array\",\"items\":"
		      "{\"type\":\"object\",\"required\":[\"field\",\"code\",\"message\"],"
		      "\"additionalProperties\":false,\"properties\":{\"field\":{\"type\":\"string\"},"
		      "\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"}}}}}}");
}
