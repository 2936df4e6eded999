#ifndef STINT_VIEW_VALUE_H
#define STINT_VIEW_VALUE_H
/*
 * What a name stands for while a page is made: a piece of a document, or text that a literal or a
 * formatter gave. Borrowed.
 */
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value {
	struct json_object *json; /* NULL: null, or text */
	const char *text; /* NULL unless it is text */
	size_t len;
};

/* Is it something? See view.h. */
bool value_is_true(const struct value *v);
/*
 * As it is printed: numbers without needless digits, null as nothing, lists and objects as JSON.
 * Below mem or borrowed.
 */
const char *value_text(void *mem, const struct value *v, size_t *len);
/* Whole numbers, also in text; a fraction is cut. false when it is none. */
bool value_int(const struct value *v, int64_t *out);
/* null, or text without anything in it. */
bool value_is_empty(const struct value *v);
struct value value_of(struct json_object *json);
/* An attribute; null when there is none or v is no object. */
struct value value_get(const struct value *v, const char *key);

#endif
