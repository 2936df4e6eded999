/*
 * Reads JSON without keeping it, only to say whether it is JSON: RFC 8259 to the letter, UTF-8, no NUL, no key
 * twice in an object, bounded depth, numbers that survive. json-c, even when told to be strict, takes single
 * quotes and NaN, keeps the last of two equal keys, cuts a key at \u0000 and clamps large integers,
 * so nothing from outside reaches it before this has said yes.
 *
 * One state machine over a small stack instead of recursion: hostile depth costs nothing. Keys of the open
 * objects lie on one list; when an object closes its share is sorted and neighbours are compared.
 */
#include "base/json_scan.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

#define NUMBER_MAX 128 /* characters; longer ones are an attack or a mistake */

struct key {
	size_t at; /* in scan.names */
	size_t len;
	size_t place; /* in the text */
	const char *name;
};

struct scan {
	const char *text;
	const char *at;
	const char *end;
	enum err err;
	const char *what;
	int depth;
	char open[JSON_DEPTH_MAX]; /* '{' or '[' */
	size_t first_key[JSON_DEPTH_MAX]; /* of the object at this depth */
	struct buf names; /* decoded keys of the open objects */
	struct key *keys;
	size_t nkeys;
	size_t keys_cap;
	void *mem;
};

static bool refuse(struct scan *s, enum err e, const char *what)
{
	s->err = e;
	s->what = what;
	return false;
}

static bool syntax(struct scan *s, const char *what)
{
	return refuse(s, ERR_JSON_SYNTAX, what);
}

static char peek(const struct scan *s)
{
	return s->at < s->end ? *s->at : '\0';
}

static void skip_blank(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static bool hex4(struct scan *s, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++, s->at++) {
		char c = peek(s);
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F'                                    ? c - 'A' + 10
										  : -1;

		if (digit < 0)
			return syntax(s, "\\u needs four hexadecimal digits");
		*out = *out << 4 | (uint32_t)digit;
	}
	return true;
}

static void put_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_putc(b, (char)c);
	} else if (c < 0x800) {
		buf_putc(b, (char)(0xC0 | c >> 6));
		buf_putc(b, (char)(0x80 | (c & 0x3F)));
	} else if (c < 0x10000) {
		buf_putc(b, (char)(0xE0 | c >> 12));
		buf_putc(b, (char)(0x80 | (c >> 6 & 0x3F)));
		buf_putc(b, (char)(0x80 | (c & 0x3F)));
	} else {
		buf_putc(b, (char)(0xF0 | c >> 18));
		buf_putc(b, (char)(0x80 | (c >> 12 & 0x3F)));
		buf_putc(b, (char)(0x80 | (c >> 6 & 0x3F)));
		buf_putc(b, (char)(0x80 | (c & 0x3F)));
	}
}

/* Behind "\u". Half a surrogate pair is no character. */
static bool unicode_escape(struct scan *s, struct buf *out)
{
	uint32_t c;
	uint32_t low;

	if (!hex4(s, &c))
		return false;
	if (c == 0)
		return refuse(s, ERR_ENCODING, "\\u0000 is not accepted in text");
	if (c >= 0xDC00 && c <= 0xDFFF)
		return refuse(s, ERR_ENCODING, "half of a surrogate pair");
	if (c >= 0xD800 && c <= 0xDBFF) {
		if (s->end - s->at < 2 || s->at[0] != '\\' || s->at[1] != 'u')
			return refuse(s, ERR_ENCODING, "half of a surrogate pair");
		s->at += 2;
		if (!hex4(s, &low))
			return false;
		if (low < 0xDC00 || low > 0xDFFF)
			return refuse(s, ERR_ENCODING, "half of a surrogate pair");
		c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
	}
	if (out)
		put_utf8(out, c);
	return true;
}

static bool escape(struct scan *s, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	char c = peek(s);
	const char *known = c ? strchr(from, c) : NULL;

	if (known) {
		s->at++;
		if (out)
			buf_putc(out, to[known - from]);
		return true;
	}
	if (c != 'u')
		return syntax(s, "unknown escape in a string");
	s->at++;
	return unicode_escape(s, out);
}

/* At the opening quote. out, where given, gets the text itself: keys are compared as what they mean. */
static bool string(struct scan *s, struct buf *out)
{
	s->at++;
	while (s->at < s->end) {
		unsigned char c = (unsigned char)*s->at;
		size_t n;

		if (c == '"') {
			s->at++;
			return true;
		}
		if (c == '\\') {
			s->at++;
			if (!escape(s, out))
				return false;
			continue;
		}
		if (c == 0)
			return refuse(s, ERR_ENCODING, "NUL in a string");
		if (c < 0x20)
			return syntax(s, "control character in a string; write it as an escape");
		n = str_utf8_one(s->at, (size_t)(s->end - s->at));
		if (!n)
			return refuse(s, ERR_ENCODING, "not UTF-8");
		if (out)
			buf_add(out, s->at, n);
		s->at += n;
	}
	return syntax(s, "string without its closing quote");
}

static bool digits(struct scan *s)
{
	const char *from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from;
}

/* A number json-c would silently turn into another one is refused. */
static bool number_fits(struct scan *s, const char *from, bool whole)
{
	char text[NUMBER_MAX + 1];
	size_t len = (size_t)(s->at - from);
	int64_t n;

	s->at = from;
	if (len > NUMBER_MAX)
		return syntax(s, "number with too many digits");
	memcpy(text, from, len);
	text[len] = '\0';
	if (whole ? !str_to_int(text, INT64_MIN, INT64_MAX, &n) : isinf(strtod(text, NULL)))
		return syntax(s, "number too large");
	s->at = from + len;
	return true;
}

static bool number(struct scan *s)
{
	const char *from = s->at;
	bool whole = true;

	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0')
		s->at++;
	else if (!digits(s))
		return syntax(s, "expected a value");
	if (peek(s) >= '0' && peek(s) <= '9')
		return syntax(s, "number with a leading zero");
	if (peek(s) == '.') {
		whole = false;
		s->at++;
		if (!digits(s))
			return syntax(s, "expected digits after the point");
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		whole = false;
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		if (!digits(s))
			return syntax(s, "expected digits of the exponent");
	}
	return number_fits(s, from, whole);
}

static bool word(struct scan *s, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, text, len) != 0)
		return syntax(s, "expected a value");
	s->at += len;
	return true;
}

static bool key(struct scan *s)
{
	struct key *k;

	skip_blank(s);
	if (peek(s) != '"')
		return syntax(s, "expected a key in double quotes");
	if (s->nkeys == s->keys_cap) {
		s->keys_cap = s->keys_cap ? s->keys_cap * 2 : 32;
		s->keys = mem_grow(s->mem, s->keys, struct key, s->keys_cap);
	}
	k = &s->keys[s->nkeys++];
	*k = (struct key){ .at = s->names.len, .place = (size_t)(s->at - s->text) };
	if (!string(s, &s->names))
		return false;
	k->len = s->names.len - k->at;
	skip_blank(s);
	if (peek(s) != ':')
		return syntax(s, "expected ':' after the key");
	s->at++;
	return true;
}

static int key_order(const void *left, const void *right)
{
	const struct key *a = left;
	const struct key *b = right;
	int order = memcmp(a->name, b->name, a->len < b->len ? a->len : b->len);

	if (order)
		return order;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

/* Judges and forgets the keys of the object that closes. */
static bool keys_differ(struct scan *s)
{
	size_t first = s->first_key[s->depth - 1];
	size_t n = s->nkeys - first;
	size_t names_len;
	struct key *keys;

	if (!n)
		return true;
	keys = s->keys + first;
	names_len = keys[0].at;
	for (size_t i = 0; i < n; i++)
		keys[i].name = s->names.data + keys[i].at;
	qsort(keys, n, sizeof(*keys), key_order);
	for (size_t i = 1; i < n; i++) {
		if (keys[i].len != keys[i - 1].len || memcmp(keys[i].name, keys[i - 1].name, keys[i].len) != 0)
			continue;
		s->at = s->text + keys[i].place;
		return refuse(s, ERR_JSON_DUPLICATE, "this key was there before in the same object");
	}
	s->nkeys = first;
	s->names.len = names_len;
	return true;
}

static bool opens(struct scan *s)
{
	char c = peek(s);

	if (s->depth == JSON_DEPTH_MAX)
		return syntax(s, "nested too deeply");
	s->first_key[s->depth] = s->nkeys;
	s->open[s->depth++] = c;
	s->at++;
	return true;
}

static bool closes(struct scan *s)
{
	if (s->open[s->depth - 1] == '{' && !keys_differ(s))
		return false;
	s->depth--;
	s->at++;
	return true;
}

static char closing(const struct scan *s)
{
	return s->open[s->depth - 1] == '{' ? '}' : ']';
}

/* One value; an array or object is only opened. *complete says whether it ended here. */
static bool value(struct scan *s, bool *complete)
{
	skip_blank(s);
	*complete = true;
	switch (peek(s)) {
	case '{':
	case '[':
		if (!opens(s))
			return false;
		skip_blank(s);
		if (peek(s) == closing(s))
			return closes(s);
		*complete = false;
		return s->open[s->depth - 1] == '[' || key(s);
	case '"':
		return string(s, NULL);
	case 't':
		return word(s, "true");
	case 'f':
		return word(s, "false");
	case 'n':
		return word(s, "null");
	default:
		return number(s);
	}
}

/* Behind a complete value: closes what ends here. *more is set when another value follows. */
static bool after_value(struct scan *s, bool *more)
{
	*more = false;
	while (s->depth) {
		skip_blank(s);
		if (peek(s) == ',') {
			s->at++;
			*more = true;
			return s->open[s->depth - 1] == '[' || key(s);
		}
		if (peek(s) != closing(s))
			return syntax(s, closing(s) == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
		if (!closes(s))
			return false;
	}
	return true;
}

static bool document(struct scan *s)
{
	bool complete;
	bool more = true;

	while (more) {
		if (!value(s, &complete))
			return false;
		if (complete && !after_value(s, &more))
			return false;
	}
	skip_blank(s);
	return s->at == s->end || syntax(s, "something follows the end");
}

static const char *place(void *mem, const struct scan *s)
{
	int line = 1;
	int column = 1;

	for (const char *at = s->text; at < s->at; at++) {
		if (*at == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*at & 0xC0) != 0x80) {
			column++;
		}
	}
	if (s->at >= s->end && s->err == ERR_JSON_SYNTAX)
		return mem_printf(mem, "line %d, column %d, at the end: %s", line, column, s->what);
	return mem_printf(mem, "line %d, column %d: %s", line, column, s->what);
}

enum err json_scan(void *mem, const char *text, size_t len, const char **where)
{
	struct scan s = { .text = text, .at = text, .end = text + len, .mem = talloc_new(mem) };

	buf_init(&s.names, s.mem);
	if (!document(&s) && where)
		*where = place(mem, &s);
	mem_free(s.mem);
	return s.err;
}
