#ifndef STINT_BASE_JSON_H
#define STINT_BASE_JSON_H
/*
 * json-c, made strict: RFC 8259 only (no single quotes, NaN, comments, trailing commas), valid UTF-8
 * without NUL, \u0000 or half a surrogate pair, no key twice in an object, no number beyond a double (a whole one:
 * beyond int64, which json-c would clamp), depth at most 16. A JSON null is a NULL tree.
 */
#include <json-c/json.h>
#include <stddef.h>
#include "base/err.h"

/* ERR_JSON_SYNTAX, ERR_JSON_DUPLICATE or ERR_ENCODING; *where (may be NULL) gets a short place for people, below mem.
 * The tree belongs to mem (a destructor puts it). */
enum err json_parse(void *mem, const char *text, size_t len, struct json_object **out, const char **where);
/* For documents that our own database made: no second check. NULL when it is no JSON. Belongs to mem. */
struct json_object *json_trusted(void *mem, const char *text);
/* Ties an object to mem: it is put when mem goes. Returns obj. */
struct json_object *json_own(void *mem, struct json_object *obj);
const char *json_text(void *mem, struct json_object *obj); /* compact, copied below mem; '/' after '<' escaped */
const char *json_str(struct json_object *obj, const char *key); /* borrowed; NULL when absent or no string */

#endif
