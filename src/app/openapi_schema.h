#ifndef STINT_APP_OPENAPI_SCHEMA_H
#define STINT_APP_OPENAPI_SCHEMA_H
/* JSON Schemas (draft 2020-12) of fields and shapes. Each returns a new reference. */
#include <json-c/json.h>
#include "app/route.h"
struct json_object *schema_id(void);
struct json_object *schema_text(void);
struct json_object *schema_ref(const char *name);
struct json_object *schema_field(const struct field *f);
struct json_object *schema_input(const struct route *route);
struct json_object *schema_reply(const struct route *route); /* the shape, or the list of it */
struct json_object *schema_problem(void);
void schema_collect(struct json_object *schemas, const struct shape *shape); /* with the shapes inside */
#endif
