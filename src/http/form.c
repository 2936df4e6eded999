/*
 * What browsers write in key=value: forms, query strings, cookies. Strict: a bad escape, NUL or bytes that are
 * no UTF-8 are an error of the whole text and never guessed at.
 *
 * Must not know which names mean anything: that is the fields' business, above.
 */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/request.h"

#define PAIRS_MAX 512

static size_t count_of(const char *text, size_t len, char c)
{
	size_t count = 0;

	for (const char *p = text; len && (p = memchr(p, c, len - (size_t)(p - text))); p++)
		count++;
	return count;
}

static bool decode_pair(void *mem, const char *text, size_t len, struct pair *out)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : len;

	out->name = str_url_decode(mem, text, name_len, true);
	out->value = equals ? str_url_decode(mem, equals + 1, len - name_len - 1, true) : "";
	return out->name && out->value;
}

enum err form_parse(void *mem, const char *text, size_t len, struct pairs *out)
{
	size_t most = count_of(text, len, '&') + 1;
	const char *end = text + len;

	*out = (struct pairs){ .items = NULL };
	if (len == 0)
		return OK;
	if (most > PAIRS_MAX)
		return ERR_TOO_LARGE;
	out->items = mem_array(mem, struct pair, most);
	for (const char *p = text; p < end;) {
		const char *amp = memchr(p, '&', (size_t)(end - p));
		size_t n = (size_t)((amp ? amp : end) - p);

		if (n && !decode_pair(out->items, p, n, &out->items[out->count++]))
			return ERR_ENCODING;
		p += n + 1;
	}
	return OK;
}

const char *pairs_get(const struct pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].name, name) == 0)
			return pairs->items[i].value;
	return NULL;
}

static const char *skip_blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* The value of the cookie in [p, end) when it has this name, else NULL. */
static const char *cookie_value(const char *p, const char *end, const char *name, size_t name_len)
{
	p = skip_blank(p, end);
	if ((size_t)(end - p) <= name_len || memcmp(p, name, name_len) != 0 || p[name_len] != '=')
		return NULL;
	return p + name_len + 1;
}

const char *request_cookie(struct request *rq, const char *name)
{
	const char *text = request_header(rq, "Cookie");
	const char *found = NULL, *found_end = NULL;
	size_t name_len = strlen(name);

	for (const char *p = text; p && *p;) {
		const char *end = strchrnul(p, ';');
		const char *value = cookie_value(p, end, name, name_len);

		if (value && found)
			return NULL; /* which one is ours? somebody is planting */
		if (value) {
			found = value;
			found_end = end;
		}
		p = *end ? end + 1 : end;
	}
	if (!found)
		return NULL;
	while (found_end > found && (found_end[-1] == ' ' || found_end[-1] == '\t'))
		found_end--;
	return mem_strndup(rq->mem, found, (size_t)(found_end - found));
}
