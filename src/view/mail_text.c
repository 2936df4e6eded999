/*
 * One pass over the markup. Words gather in a paragraph, which is filled and written when something ends it; blank lines are
 * owed, never written at once, so that they neither double nor trail.
 */
#include "view/mail_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

#define WIDTH 72
#define TAG_MAX 16
#define LISTS_MAX 8

struct reader {
	void *mem;
	struct buf out;
	struct buf words; /* of the paragraph */
	bool gap; /* a blank belongs before the next word */
	bool owes_line; /* an empty line belongs before the next paragraph */
	const char *mark; /* that the paragraph begins with: "- " */
	int indent; /* of its further lines */
	int items[LISTS_MAX], lists; /* 0 in items: with dashes; else the next number */
	bool in_row; /* a cell of this row was written */
	const char *link; /* where the words being read lead; NULL outside */
	size_t link_from; /* where they begin */
};

/* --- writing */

static size_t columns(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += (text[i] & 0xC0) != 0x80;
	return n;
}

static void line_begin(struct reader *r, bool first)
{
	if (first)
		buf_puts(&r->out, r->mark ? r->mark : "");
	else
		for (int i = 0; i < r->indent; i++)
			buf_putc(&r->out, ' ');
}

/* The words so far, filled; '\n' in them is a line that was asked for. */
static void flush(struct reader *r)
{
	size_t at = 0;
	bool first = true;

	r->gap = false;
	if (!r->words.len)
		return;
	if (r->owes_line && r->out.len && !str_ends(r->out.data, "\n--\n"))
		buf_putc(&r->out, '\n');
	r->owes_line = false;
	for (const char *p = r->words.data; *p || first; first = false) {
		size_t len = strcspn(p, " \n"), wide = columns(p, len);

		if (first || (at && at + 1 + wide > WIDTH)) {
			if (!first)
				buf_putc(&r->out, '\n');
			line_begin(r, first);
			at = r->mark || !first ? (size_t)r->indent : 0;
		} else if (at) {
			buf_putc(&r->out, ' ');
			at++;
		}
		buf_add(&r->out, p, len);
		at += wide;
		p += len;
		if (*p == '\n') {
			buf_putc(&r->out, '\n');
			line_begin(r, false);
			at = 0;
		}
		p += *p != '\0';
	}
	buf_putc(&r->out, '\n');
	r->mark = NULL;
	buf_reset(&r->words);
}

static void break_line(struct reader *r)
{
	if (r->words.len)
		buf_putc(&r->words, '\n');
	r->gap = false;
}

static void add(struct reader *r, const char *bytes, size_t len)
{
	if (r->gap && r->words.len && r->words.data[r->words.len - 1] != '\n')
		buf_putc(&r->words, ' ');
	r->gap = false;
	buf_add(&r->words, bytes, len);
}

/* --- reading */

/* The five that buf_html writes, and the blank that does not break. */
static size_t entity(const char *p, const char **meaning)
{
	static const struct {
		const char *name, *meaning;
	} known[] = { { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" }, { "&quot;", "\"" },
		{ "&#39;", "'" }, { "&nbsp;", "\xC2\xA0" } };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (str_starts(p, known[i].name)) {
			*meaning = known[i].meaning;
			return strlen(known[i].name);
		}
	}
	*meaning = "&";
	return 1;
}

static void read_text(struct reader *r, const char *text, size_t len)
{
	for (const char *p = text; p < text + len;) {
		const char *meaning;

		if (strchr(" \t\r\n", *p)) {
			r->gap = true;
			p++;
		} else if (*p == '&') {
			p += entity(p, &meaning);
			add(r, meaning, strlen(meaning));
		} else {
			add(r, p++, 1);
		}
	}
}

static const char *attribute(struct reader *r, const char *tag, size_t len, const char *name)
{
	const char *copy = mem_strndup(r->mem, tag, len);
	const char *at = strstr(copy, mem_printf(r->mem, " %s=\"", name));
	const char *from = at ? at + strlen(name) + 3 : NULL, *to = from ? strchr(from, '"') : NULL;
	struct buf value;

	if (!to)
		return NULL;
	buf_init(&value, r->mem);
	while (from < to) {
		const char *meaning;

		if (*from == '&') {
			from += entity(from, &meaning);
			buf_puts(&value, meaning);
		} else {
			buf_putc(&value, *from++);
		}
	}
	return value.data;
}

/* A link alone in its paragraph stands on a line of its own, where every client finds its end. */
static void link_end(struct reader *r)
{
	const char *words = r->link ? mem_strdup(r->mem, r->words.data + r->link_from) : NULL;
	const char *url = r->link;

	r->link = NULL;
	if (!url || str_eq(str_trim(r->mem, words), url))
		return;
	if (!r->link_from && !r->in_row)
		buf_puts(&r->words, ":\n");
	else
		buf_puts(&r->words, " <");
	buf_puts(&r->words, url);
	if (r->link_from || r->in_row)
		buf_putc(&r->words, '>');
}

static void item_begin(struct reader *r)
{
	int *number = r->lists ? &r->items[r->lists - 1] : NULL;

	flush(r);
	r->mark = number && *number ? mem_printf(r->mem, "%d. ", (*number)++) : "- ";
	r->indent = (int)strlen(r->mark);
}

static void list_begin(struct reader *r, bool numbered)
{
	flush(r);
	r->owes_line = true;
	if (r->lists < LISTS_MAX)
		r->items[r->lists++] = numbered;
}

static void block(struct reader *r)
{
	flush(r);
	r->owes_line = true;
	r->indent = 0;
}

static void cell(struct reader *r, bool opens)
{
	if (!opens) {
		r->in_row = true;
		return;
	}
	if (r->in_row && r->words.len) {
		buf_puts(&r->words, ", ");
		r->gap = false;
	}
}

static void heading_cell(struct reader *r, bool opens)
{
	cell(r, opens);
	if (!opens && r->words.len)
		buf_puts(&r->words, ":");
	if (!opens) {
		r->in_row = false;
		r->gap = true;
	}
}

static void read_tag(struct reader *r, const char *tag, size_t len)
{
	bool opens = *tag != '/';
	char name[TAG_MAX];
	size_t n = strcspn(tag + !opens, " />\t\r\n");

	n = n < sizeof name - 1 ? n : sizeof name - 1;
	memcpy(name, tag + !opens, n);
	name[n] = '\0';
	if (str_eq(name, "p") || str_eq(name, "table") || str_eq(name, "h1") || str_eq(name, "h2")) {
		block(r);
	} else if (str_eq(name, "ul") || str_eq(name, "ol")) {
		if (opens)
			list_begin(r, name[0] == 'o');
		else
			block(r);
		r->lists -= !opens && r->lists;
	} else if (str_eq(name, "li") && opens) {
		item_begin(r);
	} else if (str_eq(name, "tr")) {
		flush(r);
		r->in_row = false;
	} else if (str_eq(name, "td")) {
		cell(r, opens);
	} else if (str_eq(name, "th")) {
		heading_cell(r, opens);
	} else if (str_eq(name, "br")) {
		break_line(r);
	} else if (str_eq(name, "hr")) {
		block(r);
		buf_puts(&r->out, r->out.len ? "\n--\n" : "--\n");
		r->owes_line = false;
	} else if (str_eq(name, "a") && opens) {
		if (r->gap && r->words.len)
			add(r, "", 0);
		r->link = attribute(r, tag, len, "href");
		r->link_from = r->words.len;
	} else if (str_eq(name, "a")) {
		link_end(r);
	}
}

char *mail_text(void *mem, const char *html)
{
	void *scratch = talloc_new(mem);
	struct reader r = { .mem = scratch };

	buf_init(&r.out, mem);
	buf_init(&r.words, scratch);
	for (const char *p = html; *p;) {
		size_t len = strcspn(p, "<");

		read_text(&r, p, len);
		p += len;
		if (*p == '<') {
			len = strcspn(p + 1, ">");
			read_tag(&r, p + 1, len);
			p += 1 + len + (p[1 + len] == '>');
		}
	}
	flush(&r);
	mem_free(scratch);
	return r.out.data;
}
