#ifndef STINT_APP_FIELD_TYPES_H
#define STINT_APP_FIELD_TYPES_H
/* What each field type accepts, and the JSON value it becomes. */
#include "app/fields.h"

/* OK with *value (a new reference; may be NULL for null), or an error with *message: translated, or NULL for the error's own. */
enum err field_parse(void *mem, const struct field *f, enum duration_style style, const char *text,
	struct json_object **value, const char **message);
enum err field_parse_id(void *mem, const char *text, struct json_object **value,
	const char **message);
enum err field_parse_seconds(void *mem, const struct field *f, int64_t seconds,
	struct json_object **value, const char **message);
/* "a text", "true or false" …, translated, for messages. */
const char *field_type_name(enum field_type type);

#endif
