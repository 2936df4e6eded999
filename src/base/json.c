/*
 * json-c for the house: what comes from outside passes json_scan() first, and trees belong to a talloc context
 * like everything else, so that nobody counts references.
 *
 * A JSON null is a NULL tree, as json-c has it: success is told by the returned error, never by the pointer.
 */
#include "base/json.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_scan.h"
#include "base/mem.h"

#define TRUSTED_DEPTH 64

struct json_owner {
	struct json_object *obj;
};

static int owner_gone(struct json_owner *owner)
{
	json_object_put(owner->obj);
	return 0;
}

struct json_object *json_own(void *mem, struct json_object *obj)
{
	struct json_owner *owner;

	if (!obj)
		return NULL;
	owner = mem_new(mem, struct json_owner);
	owner->obj = obj;
	talloc_set_destructor(owner, owner_gone);
	return obj;
}

/* NULL and *ok false when json-c does not take the whole text. */
static struct json_object *build(const char *text, size_t len, int depth, bool *ok)
{
	struct json_tokener *tokener = len < INT_MAX ? json_tokener_new_ex(depth) : NULL;
	struct json_object *obj;

	*ok = false;
	if (!tokener)
		return NULL;
	/* With the NUL, or a number at the very end would wait for more. */
	obj = json_tokener_parse_ex(tokener, text, (int)len + 1);
	*ok = json_tokener_get_error(tokener) == json_tokener_success;
	json_tokener_free(tokener);
	if (*ok)
		return obj;
	json_object_put(obj);
	return NULL;
}

enum err json_parse(void *mem, const char *text, size_t len, struct json_object **out, const char **where)
{
	enum err e = json_scan(mem, text, len, where);
	char *copy;
	bool ok;

	*out = NULL;
	if (e)
		return e;
	copy = mem_strndup(mem, text, len);
	*out = json_own(mem, build(copy, len, JSON_DEPTH_MAX + 2, &ok));
	mem_free(copy);
	if (ok)
		return OK;
	if (where)
		*where = "the body as a whole";
	return ERR_JSON_SYNTAX;
}

struct json_object *json_trusted(void *mem, const char *text)
{
	bool ok;

	return json_own(mem, build(text, strlen(text), TRUSTED_DEPTH, &ok));
}

const char *json_text(void *mem, struct json_object *obj)
{
	const char *text = json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	struct buf out;

	buf_init(&out, mem);
	/* "<" occurs in strings alone, so this changes no meaning. */
	for (const char *hit; (hit = strstr(text, "</")); text = hit + 2) {
		buf_add(&out, text, (size_t)(hit - text));
		buf_puts(&out, "<\\/");
	}
	buf_puts(&out, text);
	return out.data;
}

const char *json_str(struct json_object *obj, const char *key)
{
	struct json_object *value;

	if (!json_object_is_type(obj, json_type_object) || !json_object_object_get_ex(obj, key, &value) ||
		!json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}
