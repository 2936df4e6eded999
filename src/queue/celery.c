/*
 * A Celery client's message, read. What comes here was written by a program of somebody else's, so nothing in it is taken on
 * trust: all is looked at before anything is believed, and whatever is wrong gets a sentence that says what and an exception that
 * the sender's `get()` raises. Its id and its task are read first, so that even a message that is wrong can be answered.
 *
 * What is kept of a message for the operator (head) has no arguments in it: they are other people's data.
 */
#include "queue/celery.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/iso8601.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"

enum { MESSAGE_MOST = 16 << 20, BODY_MOST = 1 << 20, HEAD_MOST = 1024, ID_MOST = 155, TASK_MOST = 100 };

#define INVALID_TASK "celery.exceptions", "InvalidTaskError"

struct reading {
	void *mem;
	struct json_object *out;
	struct json_object *message, *headers, *properties; /* borrowed; NULL unless objects */
	const struct job_kind *kind;
};

static bool refuse(struct reading *r, const char *module, const char *type, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Always false. */
static bool refuse(struct reading *r, const char *module, const char *type, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	json_object_object_add(r->out, "refused", json_object_new_string(mem_vprintf(r->mem, format, ap)));
	va_end(ap);
	json_object_object_add(r->out, "module", json_object_new_string(module));
	json_object_object_add(r->out, "type", json_object_new_string(type));
	return false;
}

static struct json_object *member(struct json_object *o, const char *name)
{
	return json_object_is_type(o, json_type_object) ? json_object_object_get(o, name) : NULL;
}

static struct json_object *object_of(struct json_object *o, const char *name)
{
	struct json_object *found = member(o, name);

	return json_object_is_type(found, json_type_object) ? found : NULL;
}

static const char *text_of(struct json_object *o, const char *name)
{
	return o ? json_str(o, name) : NULL;
}

static void put(struct reading *r, const char *name, const char *text)
{
	json_object_object_add(r->out, name, text ? json_object_new_string(text) : NULL);
}

/* --- who it is */

static bool is_answerable(const char *id)
{
	return id && *id && strlen(id) <= ID_MOST &&
		strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-") == strlen(id);
}

static void read_names(struct reading *r)
{
	const char *id = text_of(r->headers, "id"), *task = text_of(r->headers, "task");
	char uuid[UUID_TEXT];

	put(r, "task_id", is_answerable(id) ? id : NULL);
	put(r, "id", id && uuid_normalize(id, uuid) ? uuid : NULL);
	put(r, "task", task && *task && str_length(task) <= TASK_MOST ? task : NULL);
	json_object_object_add(r->out, "ignore",
		json_object_new_boolean(json_object_get_boolean(member(r->headers, "ignore_result"))));
}

static bool read_envelope(struct reading *r, const char *data, size_t len)
{
	const char *where = "";

	if (len > MESSAGE_MOST)
		return refuse(r, INVALID_TASK, "it has %zu bytes; at most %d are read", len, MESSAGE_MOST);
	if (json_parse(r->mem, data, len, &r->message, &where))
		return refuse(r, INVALID_TASK, "it is no JSON%s%s", where && *where ? ": " : "", where ? where : "");
	r->headers = object_of(r->message, "headers");
	r->properties = object_of(r->message, "properties");
	read_names(r);
	if (!json_object_is_type(r->message, json_type_object))
		return refuse(r, INVALID_TASK, "it is no object");
	if (!r->headers || !text_of(r->headers, "task"))
		return refuse(r, INVALID_TASK, "it has no headers with task and id: message protocol 2 is what is read here");
	if (!r->properties)
		return refuse(r, INVALID_TASK, "it has no properties");
	if (!text_of(r->out, "task"))
		return refuse(r, INVALID_TASK, "the name of its task is empty, or longer than %d characters", TASK_MOST);
	if (!text_of(r->out, "id"))
		return refuse(r, INVALID_TASK, "its id is no UUID");
	return true;
}

/* --- what it says */

static bool check_types(struct reading *r)
{
	const char *type = text_of(r->message, "content-type"), *encoding = text_of(r->message, "content-encoding");
	const char *body_encoding = text_of(r->properties, "body_encoding");

	if (!str_eq(type, "application/json"))
		return refuse(r, INVALID_TASK, "its content-type is %.60s: set task_serializer to json", type ? type : "not given");
	if (!encoding || (!str_eq_nocase(encoding, "utf-8") && !str_eq_nocase(encoding, "utf8")))
		return refuse(r, INVALID_TASK, "its content-encoding is %.60s, not utf-8", encoding ? encoding : "not given");
	if (member(r->headers, "compression"))
		return refuse(r, INVALID_TASK, "it is compressed: leave task_compression alone");
	if (!str_eq(body_encoding, "base64"))
		return refuse(r, INVALID_TASK, "its body_encoding is %.60s, not base64", body_encoding ? body_encoding : "not given");
	return true;
}

/* Base64 with padding. NULL unless strictly so. */
static char *unbase64(void *mem, const char *text, size_t *len)
{
	size_t n = strlen(text);
	char *url = mem_strdup(mem, text);

	if (n % 4 || strpbrk(text, "-_"))
		return NULL;
	for (int pad = 0; pad < 2 && n && url[n - 1] == '='; pad++)
		url[--n] = 0;
	for (size_t i = 0; i < n; i++)
		url[i] = url[i] == '+' ? '-' : url[i] == '/' ? '_' : url[i];
	return (char *)str_base64url_decode(mem, url, len);
}

static bool is_empty(struct json_object *o)
{
	return !o || (json_object_is_type(o, json_type_array) && !json_object_array_length(o)) ||
		(json_object_is_type(o, json_type_object) && !json_object_object_length(o));
}

static bool check_embed(struct reading *r, struct json_object *embed)
{
	static const char *const refused[] = { "callbacks", "errbacks", "chain", "chord" };

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (!is_empty(member(embed, refused[i])))
			return refuse(r, "builtins", "NotImplementedError",
				"it carries %s: chains, chords and callbacks belong into the caller's own program", refused[i]);
	return true;
}

static bool read_body(struct reading *r, struct json_object **args, struct json_object **kwargs)
{
	const char *coded = text_of(r->message, "body"), *where = "";
	struct json_object *body = NULL;
	size_t len = 0;
	char *text;

	if (!coded)
		return refuse(r, INVALID_TASK, "its body is no text");
	text = strlen(coded) / 4 * 3 > BODY_MOST + 2 ? NULL : unbase64(r->mem, coded, &len);
	if (!text && strlen(coded) / 4 * 3 > BODY_MOST)
		return refuse(r, INVALID_TASK, "its body has more than %d bytes", BODY_MOST);
	if (!text)
		return refuse(r, INVALID_TASK, "its body is no base64");
	if (len > BODY_MOST)
		return refuse(r, INVALID_TASK, "its body has more than %d bytes", BODY_MOST);
	if (json_parse(r->mem, text, len, &body, &where))
		return refuse(r, INVALID_TASK, "its body is no JSON");
	if (!json_object_is_type(body, json_type_array) || json_object_array_length(body) != 3)
		return refuse(r, INVALID_TASK, "its body is not [args, kwargs, embed]");
	*args = json_object_array_get_idx(body, 0);
	*kwargs = json_object_array_get_idx(body, 1);
	if (!json_object_is_type(*args, json_type_array))
		return refuse(r, INVALID_TASK, "its args are no list");
	if (!json_object_is_type(*kwargs, json_type_object))
		return refuse(r, INVALID_TASK, "its kwargs are no object");
	return check_embed(r, json_object_array_get_idx(body, 2));
}

/* --- arguments by name */

static bool is_param(const struct job_kind *k, const char *name)
{
	for (int i = 0; k->params[i]; i++)
		if (str_eq(k->params[i], name))
			return true;
	return false;
}

static bool bind_args(struct reading *r, struct json_object *args, struct json_object *kwargs)
{
	struct json_object *bound = json_object_new_object();
	const struct job_kind *k = r->kind;
	size_t n = json_object_array_length(args), known = 0;

	json_object_object_add(r->out, "args", bound);
	while (k->params && k->params[known])
		known++;
	if (n > known)
		return refuse(r, "builtins", "TypeError", "%s takes %zu positional arguments but %zu were given", k->name, known, n);
	for (size_t i = 0; i < n; i++)
		json_object_object_add(bound, k->params[i], json_object_get(json_object_array_get_idx(args, i)));
	json_object_object_foreach(kwargs, name, value)
	{
		if (k->params && !is_param(k, name))
			return refuse(r, "builtins", "TypeError", "%s has no argument %.100s", k->name, name);
		if (json_object_object_get_ex(bound, name, NULL))
			return refuse(r, "builtins", "TypeError", "%s got two values for its argument %s", k->name, name);
		json_object_object_add(bound, name, json_object_get(value));
	}
	return true;
}

/* --- when */

/* An instant as Python writes it; without an offset it is UTC. Leaves it out when it is null. */
static bool read_instant(struct reading *r, const char *header, const char *name, int64_t *us)
{
	struct json_object *given = member(r->headers, header);
	char text[ISO8601_MAX];
	const char *said;

	*us = -1;
	if (!given)
		return true;
	said = json_object_is_type(given, json_type_string) ? json_object_get_string(given) : "";
	if (!iso8601_parse(said, us) && !iso8601_parse(mem_printf(r->mem, "%.40sZ", said), us)) {
		*us = -1;
		return refuse(r, "builtins", "ValueError", "its header %s is no instant", header);
	}
	iso8601_format(*us, text);
	put(r, name, text);
	return true;
}

static bool read_times(struct reading *r)
{
	int64_t due_us, expires_us;
	char text[ISO8601_MAX];

	if (!read_instant(r, "eta", "due_at", &due_us) || !read_instant(r, "expires", "expires_at", &expires_us))
		return false;
	/* What may not run any more when it is due has expired before that: it is told then, not later. */
	if (expires_us >= 0 && due_us > expires_us) {
		iso8601_format(expires_us, text);
		put(r, "due_at", text);
	}
	return true;
}

static bool read_number(struct reading *r, struct json_object *from, const char *name, int64_t most, int64_t *n)
{
	struct json_object *given = member(from, name);

	*n = 0;
	if (!given)
		return true;
	*n = json_object_get_int64(given);
	if (!json_object_is_type(given, json_type_int) || *n < 0 || *n > most)
		return refuse(r, INVALID_TASK, "its %s is not a whole number from 0 to %lld", name, (long long)most);
	return true;
}

static bool read_numbers(struct reading *r)
{
	int64_t retries, priority;

	if (!read_number(r, r->headers, "retries", 1000, &retries) || !read_number(r, r->properties, "priority", 255, &priority))
		return false;
	json_object_object_add(r->out, "retries", json_object_new_int64(retries));
	json_object_object_add(r->out, "priority", json_object_new_int64(priority > 9 ? 9 : priority / 3 * 3));
	return true;
}

static void read_call(struct reading *r, const struct job_kind *const *kinds, const char *data, size_t len)
{
	struct json_object *args = NULL, *kwargs = NULL;
	const char *task;

	if (!read_envelope(r, data, len) || !check_types(r))
		return;
	task = text_of(r->out, "task");
	r->kind = job_kind_find(kinds, task);
	if (!r->kind || !r->kind->is_public) {
		refuse(r, "celery.exceptions", "NotRegistered", "there is no public task named %s", task);
		return;
	}
	if (read_body(r, &args, &kwargs) && bind_args(r, args, kwargs) && read_times(r))
		read_numbers(r);
}

/* --- what the operator gets to see */

static void copy_some(struct json_object *to, struct json_object *from, const char *const *names)
{
	for (int i = 0; names[i]; i++) {
		struct json_object *value = member(from, names[i]);

		if (value && !json_object_is_type(value, json_type_object) && !json_object_is_type(value, json_type_array))
			json_object_object_add(to, names[i], json_object_get(value));
	}
}

static const char *cut(void *mem, const char *text)
{
	size_t len = strlen(text);

	if (len > HEAD_MOST)
		for (len = HEAD_MOST; len && ((unsigned char)text[len] & 0xC0) == 0x80;)
			len--;
	return mem_strndup(mem, text, len);
}

static const char *head_of_object(void *mem, struct json_object *message)
{
	static const char *const top[] = { "content-type", "content-encoding", NULL };
	static const char *const headers[] = { "lang", "task", "id", "eta", "expires", "retries", "origin", "ignore_result", NULL };
	static const char *const properties[] = { "correlation_id", "reply_to", "priority", "body_encoding", NULL };
	struct json_object *o = json_own(mem, json_object_new_object()), *h = json_object_new_object(), *p = json_object_new_object();
	const char *body = json_str(message, "body");

	copy_some(o, message, top);
	copy_some(h, object_of(message, "headers"), headers);
	copy_some(p, object_of(message, "properties"), properties);
	json_object_object_add(o, "headers", h);
	json_object_object_add(o, "properties", p);
	if (body)
		json_object_object_add(o, "body_bytes", json_object_new_int64((int64_t)strlen(body)));
	return cut(mem, json_text(mem, o));
}

/* Of what is no object only its shape can be shown: letters and digits could be anything, so words are starred out. */
static const char *head_of_bytes(void *mem, const char *data, size_t len)
{
	size_t n = len < HEAD_MOST ? len : HEAD_MOST;
	char *out = mem_strndup(mem, data, 0);

	out = mem_grow(mem, out, char, n + 1);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)data[i];

		out[i] = c <= ' ' ? ' ' : c < 127 && strchr("{}[]()<>,:;\"'=", c) ? (char)c : '*';
	}
	out[n] = 0;
	return out;
}

/* FNV-1a: tells messages of one queue apart, no more. */
static const char *mark_of(void *mem, const char *data, size_t len)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)data[i]) * UINT64_C(1099511628211);
	return mem_printf(mem, "%016llx:%zu", (unsigned long long)hash, len);
}

struct json_object *celery_read(void *mem, const struct job_kind *const *kinds, const char *data, size_t len)
{
	struct reading r = { .mem = mem, .out = json_own(mem, json_object_new_object()) };

	read_call(&r, kinds, data, len);
	put(&r, "mark", mark_of(mem, data, len));
	put(&r, "head", json_object_is_type(r.message, json_type_object) ? head_of_object(mem, r.message) : head_of_bytes(mem, data, len));
	return r.out;
}
