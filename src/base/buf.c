/*
 * A growing byte buffer, and the escapings that go with writing text into one: each has its one place
 * here, so that a page, a log line and a URL cannot disagree about what is dangerous.
 *
 * Growth doubles, so that n appends cost O(n).
 */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define BUF_FIRST_BYTES 256

void buf_init(struct buf *b, void *mem)
{
	*b = (struct buf){
		.mem = mem,
		.data = mem_grow(mem, NULL, char, BUF_FIRST_BYTES),
		.cap = BUF_FIRST_BYTES,
	};
	b->data[0] = '\0';
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->data[0] = '\0';
}

/* Room for more bytes and the NUL behind them. */
static void buf_room(struct buf *b, size_t more)
{
	size_t cap = b->cap;

	if (more > SIZE_MAX / 2 - b->len - 1)
		abort();
	if (b->len + more < cap)
		return;
	while (cap <= b->len + more)
		cap *= 2;
	b->data = mem_grow(b->mem, b->data, char, cap);
	b->cap = cap;
}

void buf_add(struct buf *b, const char *data, size_t len)
{
	if (!len)
		return;
	buf_room(b, len);
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	if ((size_t)len >= b->cap - b->len) {
		buf_room(b, (size_t)len);
		va_start(ap, fmt);
		len = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)len;
}

static const char *html_escape(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void buf_html(struct buf *b, const char *s, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		const char *escape = html_escape(s[i]);

		if (!escape)
			continue;
		buf_add(b, s + from, i - from);
		buf_puts(b, escape);
		from = i + 1;
	}
	buf_add(b, s + from, len - from);
}

static void json_control(struct buf *b, char c)
{
	switch (c) {
	case '\n':
		buf_puts(b, "\\n");
		break;
	case '\t':
		buf_puts(b, "\\t");
		break;
	case '\r':
		buf_puts(b, "\\r");
		break;
	case '\b':
		buf_puts(b, "\\b");
		break;
	case '\f':
		buf_puts(b, "\\f");
		break;
	default:
		buf_printf(b, "\\u%04x", (unsigned int)(unsigned char)c);
	}
}

/* One character or one broken byte of s; says how many bytes it took. */
static size_t json_char(struct buf *b, const char *s, size_t at, size_t len)
{
	unsigned char c = (unsigned char)s[at];
	size_t n = 1;

	if (c < 0x20) {
		json_control(b, s[at]);
	} else if (c == '"' || c == '\\') {
		buf_putc(b, '\\');
		buf_putc(b, s[at]);
	} else if (c == '/' && at && s[at - 1] == '<') {
		buf_puts(b, "\\/"); /* "</script>" inside a script would end it */
	} else if (c < 0x80) {
		buf_putc(b, s[at]);
	} else {
		n = str_utf8_one(s + at, len - at);
		if (n)
			buf_add(b, s + at, n);
		else
			buf_puts(b, "\xEF\xBF\xBD"); /* U+FFFD: what we write is always valid */
	}
	return n ? n : 1;
}

void buf_json_str(struct buf *b, const char *s, size_t len)
{
	buf_putc(b, '"');
	for (size_t at = 0; at < len;)
		at += json_char(b, s, at, len);
	buf_putc(b, '"');
}

static bool url_plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		c == '-' || c == '_' || c == '.' || c == '~';
}

void buf_url(struct buf *b, const char *s, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (url_plain(s[i])) {
			buf_putc(b, s[i]);
		} else {
			buf_putc(b, '%');
			buf_putc(b, hex[c >> 4]);
			buf_putc(b, hex[c & 15]);
		}
	}
}
