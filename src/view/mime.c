/*
 * See mime.h. Encoded words are base64: one form for every script, and no server or client counts underscores wrong. They
 * are cut between characters, never inside one (RFC 2047, section 5).
 */
#include "view/mime.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define LINE_MAX_ 78
#define QP_LINE 76
#define WORD_BYTES 42 /* makes 56 characters base64, and 68 with "=?UTF-8?B?" and "?=" */
#define WORD_RAW_MAX 200 /* a word longer than this is encoded, so that it can be folded */
#define PART_LINE_MAX 900 /* of 998 */

bool mime_is_address(const char *s)
{
	const char *at = strchr(s, '@');

	if (!at || at == s || !at[1] || strchr(at + 1, '@') || strlen(s) > 320 || !str_is_utf8(s, strlen(s)))
		return false;
	for (const char *c = s; *c; c++) {
		if ((unsigned char)*c <= 0x20 || *c == 0x7f || strchr("<>()[]\\,;:\"", *c))
			return false;
	}
	return true;
}

/* --- headers */

/* One line, blanks single, none at the ends. */
static char *tidy(void *mem, const char *text)
{
	char *out = mem_strdup(mem, text), *to = out;

	for (const char *p = out; *p; p++) {
		bool blank = (unsigned char)*p <= 0x20 || *p == 0x7f;

		if (!blank)
			*to++ = *p;
		else if (to > out && to[-1] != ' ')
			*to++ = ' ';
	}
	while (to > out && to[-1] == ' ')
		to--;
	*to = '\0';
	return out;
}

/* May stand as it is: ASCII, nothing that looks encoded, and words that fit a line. */
static bool is_plain(const char *text)
{
	size_t word = 0;

	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p >= 0x7f || (p[0] == '=' && p[1] == '?'))
			return false;
		word = *p == ' ' ? 0 : word + 1;
		if (word > WORD_RAW_MAX)
			return false;
	}
	return true;
}

static size_t column(const struct buf *out)
{
	const char *line = memrchr(out->data, '\n', out->len);

	return line ? out->len - (size_t)(line + 1 - out->data) : out->len;
}

/* A word behind a blank, or on the next line when it does not fit. */
static void put_word(struct buf *out, const char *word, size_t len)
{
	bool first = out->len && out->data[out->len - 1] == ':';

	buf_puts(out, column(out) + 1 + len > LINE_MAX_ && !first ? "\r\n " : " ");
	buf_add(out, word, len);
}

static void put_words(struct buf *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, " ");

		put_word(out, text, len);
		text += len + (text[len] == ' ');
	}
}

static void put_encoded(struct buf *out, const char *text)
{
	while (*text) {
		size_t n = 0, one;
		const char *word;

		while (text[n] && (one = str_utf8_one(text + n, strlen(text + n))) && n + one <= WORD_BYTES)
			n += one;
		if (!n)
			return; /* not UTF-8: says nothing */
		word = mem_printf(out->mem, "=?UTF-8?B?%s?=",
			str_base64(out->mem, (const unsigned char *)text, n));
		put_word(out, word, strlen(word));
		text += n;
	}
}

void mime_text(struct buf *out, const char *name, const char *text)
{
	const char *line = tidy(out->mem, text);

	buf_printf(out, "%s:", name);
	if (is_plain(line))
		put_words(out, line);
	else
		put_encoded(out, line);
	buf_puts(out, "\r\n");
}

/* RFC 5322 section 3.2.3: what needs no quotes. */
static bool is_atoms(const char *text)
{
	static const char atoms[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~ ";

	return strspn(text, atoms) == strlen(text);
}

static const char *quoted(void *mem, const char *text)
{
	struct buf out;

	buf_init(&out, mem);
	buf_putc(&out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(&out, '\\');
		buf_putc(&out, *text);
	}
	buf_putc(&out, '"');
	return out.data;
}

void mime_address(struct buf *out, const char *name, const char *display, const char *address)
{
	const char *line = tidy(out->mem, display ? display : ""),
		*angle = mem_printf(out->mem, "<%s>", address);

	buf_printf(out, "%s:", name);
	if (!*line)
		angle = address;
	else if (!is_plain(line))
		put_encoded(out, line);
	else
		put_words(out, is_atoms(line) ? line : quoted(out->mem, line));
	put_word(out, angle, strlen(angle));
	buf_puts(out, "\r\n");
}

void mime_raw(struct buf *out, const char *name, const char *value)
{
	bool fits = strlen(name) + 2 + strlen(value) <= LINE_MAX_;

	buf_printf(out, "%s:%s%s\r\n", name, fits ? " " : "\r\n ", value);
}

/* --- bodies */

/* "=_" begins every boundary of this house, and quoted-printable cannot hold it. */
static bool is_7bit(const char *text)
{
	size_t line = 0;

	if (strstr(text, "=_"))
		return false;
	for (; *text; text++) {
		if ((unsigned char)*text >= 0x7f || ((unsigned char)*text < 0x20 && *text != '\n'))
			return false;
		line = *text == '\n' ? 0 : line + 1;
		if (line > PART_LINE_MAX)
			return false;
	}
	return true;
}

static void put_crlf(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			buf_putc(out, '\r');
		buf_putc(out, *text);
	}
}

static void put_quoted(struct buf *out, const char *text)
{
	size_t at = 0;

	for (const char *p = text; *p; p++) {
		bool ends = p[1] == '\n' || !p[1];
		bool plain = (*p > 0x20 && *p < 0x7f && *p != '=') || (*p == ' ' && !ends);
		size_t need = plain ? 1 : 3;

		if (*p == '\n') {
			buf_puts(out, "\r\n");
			at = 0;
			continue;
		}
		if (at + need > (ends ? QP_LINE : QP_LINE - 1)) {
			buf_puts(out, "=\r\n");
			at = 0;
		}
		if (plain)
			buf_putc(out, *p);
		else
			buf_printf(out, "=%02X", (unsigned char)*p);
		at += need;
	}
}

void mime_part(struct buf *out, const char *type, const char *text)
{
	bool plain = is_7bit(text);
	size_t len = strlen(text);

	buf_printf(out, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n",
		type, plain ? "7bit" : "quoted-printable");
	if (plain)
		put_crlf(out, text);
	else
		put_quoted(out, text);
	if (!len || text[len - 1] != '\n')
		buf_puts(out, "\r\n");
}
