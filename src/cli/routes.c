/* stint routes: the table of routes for people, tests and nginx. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "app/openapi.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "features/features.h"

static const char *const permission_names[] = {
#define PERMISSION(name, code, owner, manager, member, text) code,
#include "app/permissions.def"
#undef PERMISSION
};

static const char *need_name(enum permission need)
{
	return need == PERM_PUBLIC ? "public" : need == PERM_SIGNED_IN ? "signed_in"
								       : permission_names[need];
}

static const char *const type_names[] = {
	[FIELD_TEXT] = "text",
	[FIELD_LONGTEXT] = "longtext",
	[FIELD_PASSWORD] = "password",
	[FIELD_EMAIL] = "email",
	[FIELD_BOOL] = "bool",
	[FIELD_INT] = "int",
	[FIELD_UUID] = "uuid",
	[FIELD_UUIDS] = "uuids",
	[FIELD_TEXTS] = "texts",
	[FIELD_INSTANT] = "instant",
	[FIELD_DATE] = "date",
	[FIELD_CLOCK] = "clock",
	[FIELD_DURATION] = "duration",
	[FIELD_ZONE] = "zone",
	[FIELD_CHOICE] = "choice",
};

static void print_table(const struct face *faces, int n)
{
	for (int i = 0; i < n; i++)
		printf("%-6s %-48s %-26s %s\n", faces[i].method_text, faces[i].path,
			faces[i].route->name, need_name(faces[i].route->need));
}

/* nginx: which pool serves a path. All else is the main pool's. */
static void print_nginx(const struct face *faces, int n)
{
	for (int i = 0; i < n; i++) {
		if (!(faces[i].route->flags & ROUTE_AUTH_POOL))
			continue;
		printf("\t~^");
		for (const char *p = faces[i].path; *p; p++) {
			if (*p == '{') {
				printf("[^/]+");
				p = strchr(p, '}');
			} else {
				putchar(*p);
			}
		}
		printf("$ auth;\n");
	}
}

static struct json_object *fields_json(const struct field *fields, bool page)
{
	struct json_object *list = json_object_new_array();

	for (const struct field *f = fields; f && f->name; f++) {
		struct json_object *o = json_object_new_object();

		if (f->flags & (page ? F_API : F_PAGE)) {
			json_object_put(o);
			continue;
		}
		json_object_object_add(o, "name", json_object_new_string(f->name));
		json_object_object_add(o, "type", json_object_new_string(type_names[f->type]));
		json_object_object_add(o, "required", json_object_new_boolean(f->flags & F_REQUIRED));
		json_object_array_add(list, o);
	}
	return list;
}

static void print_json(void *mem, const struct face *faces, int n)
{
	struct json_object *list = json_own(mem, json_object_new_array());

	for (int i = 0; i < n; i++) {
		const struct route *r = faces[i].route;
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_object_new_string(r->name));
		json_object_object_add(o, "method", json_object_new_string(faces[i].method_text));
		json_object_object_add(o, "path", json_object_new_string(faces[i].path));
		json_object_object_add(o, "page", json_object_new_boolean(faces[i].page));
		json_object_object_add(o, "need", json_object_new_string(need_name(r->need)));
		json_object_object_add(o, "writes", json_object_new_boolean(r->flags & ROUTE_WRITE));
		json_object_object_add(o, "shown", json_object_new_boolean(r->view != NULL));
		json_object_object_add(o, "fields", fields_json(r->fields, faces[i].page));
		json_object_array_add(list, o);
	}
	puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY));
}

int cli_routes(void *mem, const char *how)
{
	const struct routes *routes = routes_new(mem, feature_tables);
	int n;
	const struct face *faces = routes_faces(routes, &n);

	if (!how)
		print_table(faces, n);
	else if (str_eq(how, "--nginx"))
		print_nginx(faces, n);
	else if (str_eq(how, "--json"))
		print_json(mem, faces, n);
	else if (str_eq(how, "--openapi"))
		puts(json_object_to_json_string_ext(openapi_document(mem, routes),
			JSON_C_TO_STRING_PRETTY));
	else
		return fprintf(stderr, "stint routes takes --json, --nginx or --openapi\n"), 64;
	return 0;
}
