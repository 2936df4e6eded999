#ifndef STINT_APP_OPENAPI_H
#define STINT_APP_OPENAPI_H
/* The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0), made from the routes. Belongs to mem. */
#include <json-c/json.h>
#include "app/routes.h"
struct json_object *openapi_document(void *mem, const struct routes *routes);
#endif
