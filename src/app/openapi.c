/* See openapi.h: paths from faces, parameters and bodies from fields, replies from shapes. Nothing here is written by hand per route. */
#include "app/openapi.h"

#include <string.h>

#include "app/openapi_schema.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static const char *const method_keys[] = {
	[METHOD_GET] = "get",
	[METHOD_POST] = "post",
	[METHOD_PUT] = "put",
	[METHOD_PATCH] = "patch",
	[METHOD_DELETE] = "delete",
};

static struct json_object *parameter(const char *name, const char *in, bool required,
	struct json_object *schema)
{
	struct json_object *p = json_object_new_object();

	json_object_object_add(p, "name", json_object_new_string(name));
	json_object_object_add(p, "in", json_object_new_string(in));
	if (required)
		json_object_object_add(p, "required", json_object_new_boolean(true));
	json_object_object_add(p, "schema", schema);
	return p;
}

static void path_parameters(void *mem, const struct face *face, struct json_object *list)
{
	for (const char *p = face->path; (p = strchr(p, '{')) != NULL; p++) {
		const char *end = strchr(p, '}');
		char *name = mem_strndup(mem, p + 1, (size_t)(end - p - 1));

		json_object_array_add(list, parameter(name, "path", true, schema_id()));
	}
}

static struct json_object *parameters(void *mem, const struct face *face)
{
	struct json_object *list = json_object_new_array();

	path_parameters(mem, face, list);
	for (const struct field *f = face->route->fields;
		f && f->name && face->method == METHOD_GET; f++)
		json_object_array_add(list, parameter(f->name, "query", f->flags & F_REQUIRED, schema_field(f)));
	if (face->method == METHOD_PATCH || face->method == METHOD_DELETE)
		json_object_array_add(list, parameter("If-Match", "header", false, schema_text()));
	if (face->method == METHOD_POST && face->route->need != PERM_PUBLIC)
		json_object_array_add(list,
			parameter("Idempotency-Key", "header", false, schema_text()));
	return list;
}

static struct json_object *content(const char *type, struct json_object *schema)
{
	struct json_object *media = json_object_new_object(), *o = json_object_new_object();

	json_object_object_add(media, "schema", schema);
	json_object_object_add(o, type, media);
	return o;
}

static struct json_object *request_body(const struct route *route)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "content", content("application/json", schema_input(route)));
	return o;
}

static struct json_object *response(const char *text, struct json_object *body)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "description", json_object_new_string(text));
	if (body)
		json_object_object_add(o, "content", body);
	return o;
}

static struct json_object *responses(const struct route *route)
{
	struct json_object *o = json_object_new_object();
	const char *good = route->flags & ROUTE_DELETES ? "204" : route->flags & ROUTE_CREATES ? "201"
		: route->flags & ROUTE_SENDS                                                   ? "202"
											       : "200";

	if (!route->reply || route->flags & ROUTE_DELETES)
		json_object_object_add(o, route->reply || route->flags & ROUTE_DELETES ? good : "204",
			response("Done.", NULL));
	else
		json_object_object_add(o, good,
			response("The answer.",
				content("application/json", schema_reply(route))));
	if (route->flags & ROUTE_OPTIONAL)
		json_object_object_add(o, "204", response("There is none.", NULL));
	json_object_object_add(o, "default",
		response("What went wrong.", content("application/problem+json", schema_ref("Problem"))));
	return o;
}

static struct json_object *operation(void *mem, const struct face *face)
{
	const struct route *route = face->route;
	struct json_object *o = json_object_new_object(), *tags = json_object_new_array();
	const char *dot = strchr(route->name, '.');

	json_object_object_add(o, "operationId",
		json_object_new_string(route_symbol(mem, route->name)));
	json_object_object_add(o, "summary",
		json_object_new_string(route->summary ? route->summary : route->name));
	json_object_array_add(tags, json_object_new_string_len(route->name, (int)(dot - route->name)));
	json_object_object_add(o, "tags", tags);
	json_object_object_add(o, "parameters", parameters(mem, face));
	if (face->method != METHOD_GET && face->method != METHOD_DELETE && route->fields)
		json_object_object_add(o, "requestBody", request_body(route));
	json_object_object_add(o, "responses", responses(route));
	if (route->need == PERM_PUBLIC)
		json_object_object_add(o, "security", json_object_new_array());
	return o;
}

static struct json_object *paths(void *mem, const struct routes *routes)
{
	struct json_object *all = json_object_new_object(), *path;
	int n;
	const struct face *faces = routes_faces(routes, &n);

	for (int i = 0; i < n; i++) {
		const char *below = faces[i].path + strlen(API_BASE);

		if (faces[i].page || faces[i].route->flags & ROUTE_HIDDEN)
			continue;
		if (!json_object_object_get_ex(all, below, &path)) {
			path = json_object_new_object();
			json_object_object_add(all, below, path);
		}
		json_object_object_add(path, method_keys[faces[i].method],
			operation(mem, &faces[i]));
	}
	return all;
}

static struct json_object *components(const struct routes *routes)
{
	struct json_object *schemas = json_object_new_object(), *o = json_object_new_object();
	int n;
	const struct face *faces = routes_faces(routes, &n);

	json_object_object_add(schemas, "Problem", schema_problem());
	for (int i = 0; i < n; i++) {
		if (faces[i].route->reply)
			schema_collect(schemas, faces[i].route->reply);
	}
	json_object_object_add(o, "schemas", schemas);
	json_object_object_add(o, "securitySchemes",
		json_tokener_parse("{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}"));
	return o;
}

struct json_object *openapi_document(void *mem, const struct routes *routes)
{
	struct json_object *o = json_own(mem, json_tokener_parse("{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Stint\",\"version\":\"1\","
								 "\"description\":\"Time tracking for teams.\","
								 "\"license\":{\"name\":\"AGPL-3.0-only\",\"identifier\":\"AGPL-3.0-only\"}},"
								 "\"servers\":[{\"url\":\"" API_BASE "\"}],\"security\":[{\"token\":[]}]}"));

	json_object_object_add(o, "paths", paths(mem, routes));
	json_object_object_add(o, "components", components(routes));
	return o;
}
