/*
 * The second pass: tags become a tree. White space was settled by the scanner; here block arguments
 * lose the indentation they have where they are written, since they get that of the place they go
 * to.
 *
 * Text is not copied: nodes point into the source, but for arguments that were shifted to the left.
 */
#include "view/template.h"

#include <string.h>

#include "base/mem.h"

struct parser {
	void *mem;
	const struct template *template;
	struct tokens tokens;
	struct slice strip; /* indentation of the argument being parsed, as in the source */
	int line; /* of the failure */
	const char *why;
};

static bool parse_list(
	struct parser *p, int first, int last, size_t from, size_t to, struct nodes *out);

static struct node *node_add(struct parser *p, struct nodes *list, enum node_kind kind, int line)
{
	list->items = mem_grow(p->mem, list->items, struct node, (size_t)list->count + 1);
	list->items[list->count] = (struct node){ .kind = kind, .line = line };
	return &list->items[list->count++];
}

/* How much of the start of text is what is stripped. */
static size_t strip_len(const struct parser *p, const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && n < p->strip.len && text[n] == p->strip.text[n])
		n++;
	return n;
}

static struct slice stripped(struct parser *p, struct slice text, bool starts_line)
{
	struct buf b;
	size_t at = 0;

	if (!p->strip.len)
		return text;
	buf_init(&b, p->mem);
	while (at < text.len) {
		const char *line = text.text + at, *newline = memchr(line, '\n', text.len - at);
		size_t len = newline ? (size_t)(newline - line) + 1 : text.len - at;
		size_t skip = at || starts_line ? strip_len(p, line, len) : 0;

		buf_add(&b, line + skip, len - skip);
		at += len;
	}
	return (struct slice){ .text = b.data, .len = b.len };
}

/* The text between two tags. open: the tag behind it stands on the text's last line. */
static void add_text(struct parser *p, struct nodes *list, size_t from, size_t to, bool open)
{
	const char *source = p->template->source.text;
	bool starts_line = !from || source[from - 1] == '\n';
	struct slice text = { .text = source + from, .len = to > from ? to - from : 0 };
	struct node *n;

	if (!text.len && !(starts_line && open))
		return;
	n = node_add(p, list, NODE_TEXT, 0);
	n->starts_line = starts_line;
	n->ends_open = open && text.len && text.text[text.len - 1] == '\n';
	n->text = stripped(p, text, starts_line);
}

static struct slice space_before(struct parser *p, const struct token *t)
{
	struct slice space = { .text = p->template->source.text + t->line_start,
		.len = t->at - t->line_start };

	if (!t->clear_before)
		space.len = 0;
	return stripped(p, space, true);
}

/* The white space the first line with something on it begins with. false: there is no line. */
static bool first_indent(struct parser *p, size_t from, size_t to, struct slice *out)
{
	const char *source = p->template->source.text;
	size_t at = from, line = from;

	for (; at < to; at++) {
		if (source[at] == '\n')
			line = at + 1;
		else if (source[at] != ' ' && source[at] != '\t' && source[at] != '\r')
			break;
	}
	*out = (struct slice){ .text = source + line, .len = at - line };
	return at < to;
}

static struct slice newline_behind(struct parser *p, const struct token *close)
{
	const char *source = p->template->source.text;
	size_t from = close->to;

	if (from > close->end && source[from - 1] == '\n')
		from -= from - 1 > close->end && source[from - 2] == '\r' ? 2 : 1;
	return (struct slice){ .text = source + from, .len = close->to - from };
}

static bool parse_block(struct parser *p, int index, bool argument, struct node *n)
{
	const struct token *open = &p->tokens.items[index], *close = &p->tokens.items[open->match];
	struct slice outer = p->strip, intrinsic;
	bool good;

	n->name = mem_strndup(p->mem, open->body.text, open->body.len);
	n->standalone = open->cut_before;
	n->indent = space_before(p, open);
	n->opens_line = open->to > open->end;
	n->closes_line = close->cut_before;
	n->newline = newline_behind(p, close);
	if (n->opens_line && first_indent(p, open->to, close->from, &intrinsic)) {
		n->has_intrinsic = true;
		n->intrinsic = stripped(p, intrinsic, true);
		if (argument)
			p->strip = intrinsic;
	}
	good = parse_list(p, index + 1, open->match, open->to, close->from, &n->children);
	p->strip = outer;
	return good;
}

/* Of what stands inside a parent only its blocks count. */
static bool parse_parent(struct parser *p, int index, struct node *n)
{
	const struct token *open = &p->tokens.items[index];

	n->name = mem_strndup(p->mem, open->body.text, open->body.len);
	n->standalone = open->cut_before;
	n->indent = n->standalone ? space_before(p, open) : (struct slice){ .text = "", .len = 0 };
	for (int i = index + 1; i < open->match; i++) {
		const struct token *t = &p->tokens.items[i];

		if (t->kind == TOKEN_BLOCK &&
			!parse_block(p, i, true, node_add(p, &n->children, NODE_BLOCK, t->line)))
			return false;
		if (t->match > i)
			i = t->match;
	}
	return true;
}

static bool parse_expr(struct parser *p, const struct token *t, struct node *n)
{
	if (expr_parse(p->mem, t->body, &n->expr, &p->why))
		return true;
	p->line = t->line;
	return false;
}

static bool parse_section(struct parser *p, int index, struct node *n)
{
	const struct token *open = &p->tokens.items[index];

	return parse_expr(p, open, n) &&
		parse_list(p, index + 1, open->match, open->to, p->tokens.items[open->match].from,
			&n->children);
}

static void parse_partial(struct parser *p, const struct token *t, struct node *n)
{
	n->name = mem_strndup(p->mem, t->body.text, t->body.len);
	n->standalone = t->cut_before;
	n->indent = n->standalone ? space_before(p, t) : (struct slice){ .text = "", .len = 0 };
}

static bool parse_tag(struct parser *p, int index, struct nodes *out)
{
	const struct token *t = &p->tokens.items[index];

	switch (t->kind) {
	case TOKEN_VAR:
		return parse_expr(p, t, node_add(p, out, NODE_VAR, t->line));
	case TOKEN_RAW:
		return parse_expr(p, t, node_add(p, out, NODE_RAW, t->line));
	case TOKEN_SECTION:
		return parse_section(p, index, node_add(p, out, NODE_SECTION, t->line));
	case TOKEN_INVERTED:
		return parse_section(p, index, node_add(p, out, NODE_INVERTED, t->line));
	case TOKEN_PARENT:
		return parse_parent(p, index, node_add(p, out, NODE_PARENT, t->line));
	case TOKEN_BLOCK:
		return parse_block(p, index, false, node_add(p, out, NODE_BLOCK, t->line));
	case TOKEN_PARTIAL:
		parse_partial(p, t, node_add(p, out, NODE_PARTIAL, t->line));
		return true;
	case TOKEN_END:
	case TOKEN_COMMENT:
	case TOKEN_DELIMITERS:
		break;
	}
	return true;
}

/*
 * The tags [first, last) and the text around them, from the end of the tag before to the start of
 * the one behind.
 */
static bool parse_list(
	struct parser *p, int first, int last, size_t from, size_t to, struct nodes *out)
{
	bool open_end = last < p->tokens.count && !p->tokens.items[last].cut_before;

	for (int i = first; i < last; i++) {
		const struct token *t = &p->tokens.items[i];

		add_text(p, out, from, t->from, !t->cut_before);
		if (!parse_tag(p, i, out))
			return false;
		if (t->match > i)
			i = t->match;
		from = p->tokens.items[i].to;
	}
	add_text(p, out, from, to, open_end);
	return true;
}

bool template_parse(void *mem, struct template *t, const char **why)
{
	struct parser p = { .mem = mem, .template = t };
	const char *said;

	if (template_scan(mem, t->source, &p.tokens, &p.line, &said)) {
		if (parse_list(&p, 0, p.tokens.count, 0, t->source.len, &t->nodes))
			return true;
		said = p.why;
	}
	*why = mem_printf(mem, "%s:%d: %s", t->place, p.line, said);
	return false;
}
