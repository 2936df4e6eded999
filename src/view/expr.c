/*
 * What stands inside a tag that prints or asks: a name or a literal, then formatters behind pipes,
 * each with its arguments. Looked at only after the closing delimiter was found, so that any
 * delimiter the specification allows, '|' among them, still works.
 */
#include "view/template.h"

#include <string.h>

#include "base/mem.h"
#include "view/formatters.h"

struct reader {
	void *mem;
	const char *at, *end;
	const char *why;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct reader *r)
{
	while (r->at < r->end && is_space(*r->at))
		r->at++;
}

bool operand_name(void *mem, struct slice name, struct operand *out)
{
	size_t from = 0;

	*out = (struct operand){ .kind = OPERAND_NAME,
		.text = mem_strndup(mem, name.text, name.len) };
	if (name.len == 1 && name.text[0] == '.') {
		out->kind = OPERAND_TOP;
		return true;
	}
	for (size_t i = 0; i <= name.len; i++) {
		if (i < name.len && name.text[i] != '.')
			continue;
		if (i == from && from > 0)
			return false;
		out->parts = mem_grow(mem, out->parts, const char *, (size_t)out->nparts + 1);
		out->parts[out->nparts++] = mem_strndup(mem, name.text + from, i - from);
		from = i + 1;
	}
	return name.len > 0;
}

static bool take_literal(struct reader *r, struct operand *out)
{
	char quote = *r->at++;
	struct buf b;

	buf_init(&b, r->mem);
	for (; r->at < r->end && *r->at != quote; r->at++) {
		if (*r->at == '\\' && r->at + 1 < r->end)
			buf_putc(&b, *++r->at == 'n' ? '\n' : *r->at);
		else
			buf_putc(&b, *r->at);
	}
	if (r->at == r->end) {
		r->why = "a text in quotes is not closed";
		return false;
	}
	r->at++;
	*out = (struct operand){ .kind = OPERAND_LITERAL, .text = b.data };
	return true;
}

static struct slice take_word(struct reader *r)
{
	const char *from = r->at;

	while (r->at < r->end && !is_space(*r->at) && *r->at != '|')
		r->at++;
	return (struct slice){ .text = from, .len = (size_t)(r->at - from) };
}

/* As an argument a number is a literal; in front it is a name, as the specification has it. */
static bool take_operand(struct reader *r, bool argument, struct operand *out)
{
	struct slice word;

	if (*r->at == '"' || *r->at == '\'')
		return take_literal(r, out);
	word = take_word(r);
	if (argument && word.len && word.text[0] >= '0' && word.text[0] <= '9') {
		*out = (struct operand){ .kind = OPERAND_LITERAL,
			.text = mem_strndup(r->mem, word.text, word.len) };
		return true;
	}
	if (!operand_name(r->mem, word, out)) {
		r->why = mem_printf(r->mem, "\"%.*s\" is no name", (int)word.len, word.text);
		return false;
	}
	return true;
}

static bool check_count(struct reader *r, const struct pipe *p)
{
	const struct formatter *f = p->formatter;

	if (p->nargs >= f->least && p->nargs <= f->most)
		return true;
	r->why = mem_printf(r->mem, "formatter %s takes %d to %d arguments, not %d", f->name,
		f->least, f->most, p->nargs);
	return false;
}

static bool take_pipe(struct reader *r, struct pipe *out)
{
	struct slice word;

	skip_space(r);
	word = take_word(r);
	*out = (struct pipe){ .formatter = formatter_find(word.text, word.len) };
	if (!out->formatter) {
		r->why = mem_printf(
			r->mem, "there is no formatter \"%.*s\"", (int)word.len, word.text);
		return false;
	}
	for (skip_space(r); r->at < r->end && *r->at != '|'; skip_space(r)) {
		if (out->nargs == TEMPLATE_ARGS_MAX) {
			r->why = "too many arguments";
			return false;
		}
		out->args = mem_grow(r->mem, out->args, struct operand, (size_t)out->nargs + 1);
		if (!take_operand(r, true, &out->args[out->nargs++]))
			return false;
	}
	return check_count(r, out);
}

static bool take_expr(struct reader *r, struct expr *e)
{
	skip_space(r);
	if (r->at == r->end || !take_operand(r, false, &e->head))
		return false;
	for (skip_space(r); r->at < r->end; skip_space(r)) {
		if (*r->at++ != '|') {
			r->why = "only a formatter may follow, behind a |";
			return false;
		}
		e->pipes = mem_grow(r->mem, e->pipes, struct pipe, (size_t)e->npipes + 1);
		if (!take_pipe(r, &e->pipes[e->npipes++]))
			return false;
		if (e->pipes[e->npipes - 1].formatter->markup && r->at < r->end) {
			r->why = "nothing may follow a formatter that makes markup";
			return false;
		}
	}
	return true;
}

bool expr_parse(void *mem, struct slice body, struct expr **out, const char **why)
{
	struct reader r = { .mem = mem,
		.at = body.text,
		.end = body.text + body.len,
		.why = "a tag with nothing in it" };

	*out = mem_new(mem, struct expr);
	if (take_expr(&r, *out))
		return true;
	*why = r.why;
	return false;
}
