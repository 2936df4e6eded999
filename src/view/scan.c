/*
 * The first pass over a template: where its tags are, which belong together, and which white space
 * goes with them. Nothing is said here of what a tag means.
 *
 * A tag alone on its line takes the line with it ("standalone"). A parent or a block is alone when
 * its two halves together are: nothing but white space before the first and behind the second. The
 * specification only shows this by examples; the rules written down here are those of its authors'
 * discussion.
 */
#include "view/template.h"

#include <string.h>

#include "base/mem.h"

#define DELIMITER_MAX 16

struct scanner {
	void *mem;
	const char *text;
	size_t len, pos;
	int line; /* of pos */
	char open[DELIMITER_MAX + 1], close[DELIMITER_MAX + 1];
	struct tokens *tokens;
	int cap;
	int stack[TEMPLATE_NEST_MAX];
	int depth;
	const char *why;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct slice trimmed(const char *text, size_t len)
{
	while (len && is_space(text[0])) {
		text++;
		len--;
	}
	while (len && is_space(text[len - 1]))
		len--;
	return (struct slice){ .text = text, .len = len };
}

/* Where needle begins at or behind from; len when it does not. */
static size_t find(const struct scanner *s, size_t from, const char *needle)
{
	const char *hit = from < s->len
		? memmem(s->text + from, s->len - from, needle, strlen(needle))
		: NULL;

	return hit ? (size_t)(hit - s->text) : s->len;
}

static void advance(struct scanner *s, size_t to)
{
	for (; s->pos < to; s->pos++)
		s->line += s->text[s->pos] == '\n';
}

static void see_line(const struct scanner *s, struct token *t)
{
	size_t from = t->at, to = t->end;

	while (from && (s->text[from - 1] == ' ' || s->text[from - 1] == '\t'))
		from--;
	while (to < s->len && (s->text[to] == ' ' || s->text[to] == '\t'))
		to++;
	t->clear_before = !from || s->text[from - 1] == '\n';
	t->line_start = from;
	if (to + 1 < s->len && s->text[to] == '\r' && s->text[to + 1] == '\n')
		to++;
	t->clear_after = to == s->len || s->text[to] == '\n';
	t->line_end = to < s->len ? to + 1 : to;
}

static bool take_delimiters(struct scanner *s, struct slice body)
{
	size_t first = 0, second;

	while (first < body.len && !is_space(body.text[first]))
		first++;
	for (second = first; second < body.len && is_space(body.text[second]);)
		second++;
	if (!first || first > DELIMITER_MAX || second == body.len ||
		body.len - second > DELIMITER_MAX || memchr(body.text, '=', body.len)) {
		s->why = "delimiters are set like {{=<% %>=}}: two marks with a space between them "
			 "and no '='";
		return false;
	}
	for (size_t i = second; i < body.len; i++) {
		if (is_space(body.text[i])) {
			s->why = "more than two delimiters";
			return false;
		}
	}
	memcpy(s->open, body.text, first);
	s->open[first] = '\0';
	memcpy(s->close, body.text + second, body.len - second);
	s->close[body.len - second] = '\0';
	return true;
}

static enum token_kind kind_of(char sigil)
{
	static const struct {
		char sigil;
		enum token_kind kind;
	} kinds[] = {
		{ .sigil = '#', .kind = TOKEN_SECTION },
		{ .sigil = '^', .kind = TOKEN_INVERTED },
		{ .sigil = '/', .kind = TOKEN_END },
		{ .sigil = '>', .kind = TOKEN_PARTIAL },
		{ .sigil = '<', .kind = TOKEN_PARENT },
		{ .sigil = '$', .kind = TOKEN_BLOCK },
		{ .sigil = '&', .kind = TOKEN_RAW },
		{ .sigil = '{', .kind = TOKEN_RAW },
		{ .sigil = '!', .kind = TOKEN_COMMENT },
		{ .sigil = '=', .kind = TOKEN_DELIMITERS },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].sigil == sigil)
			return kinds[i].kind;
	return TOKEN_VAR;
}

/* What a closing tag has to name: what stands before a formatter. */
static struct slice opener_name(struct slice body)
{
	const char *pipe =
		body.len && body.text[0] != '"' ? memchr(body.text, '|', body.len) : NULL;

	return pipe && pipe > body.text ? trimmed(body.text, (size_t)(pipe - body.text)) : body;
}

static bool same(struct slice a, struct slice b)
{
	return a.len == b.len && !memcmp(a.text, b.text, a.len);
}

static bool pair_up(struct scanner *s, struct token *t, int index)
{
	struct token *opener;

	t->match = -1;
	t->outer = s->depth ? s->stack[s->depth - 1] : -1;
	if (t->kind == TOKEN_SECTION || t->kind == TOKEN_INVERTED || t->kind == TOKEN_PARENT ||
		t->kind == TOKEN_BLOCK) {
		if (s->depth == TEMPLATE_NEST_MAX) {
			s->why = "sections nest too deeply";
			return false;
		}
		s->stack[s->depth++] = index;
	} else if (t->kind == TOKEN_END) {
		if (!s->depth) {
			s->why = mem_printf(
				s->mem, "{{/%.*s}} closes nothing", (int)t->body.len, t->body.text);
			return false;
		}
		opener = &s->tokens->items[s->stack[--s->depth]];
		if (!same(t->body, opener->body) && !same(t->body, opener_name(opener->body))) {
			s->why = mem_printf(s->mem, "{{/%.*s}} where {{/%.*s}} of line %d is due",
				(int)t->body.len, t->body.text, (int)opener->body.len,
				opener->body.text, opener->line);
			return false;
		}
		t->match = s->stack[s->depth];
		opener->match = index;
		t->outer = opener->outer;
	}
	return true;
}

static bool keep(struct scanner *s, struct token t)
{
	struct tokens *all = s->tokens;

	if (all->count == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 32;
		all->items = mem_grow(s->mem, all->items, struct token, (size_t)s->cap);
	}
	all->items[all->count] = t;
	if (!pair_up(s, &all->items[all->count], all->count))
		return false;
	all->count++;
	return true;
}

/* The tag whose opening delimiter is at s->pos. */
static bool take_tag(struct scanner *s)
{
	size_t at = s->pos, inside = at + strlen(s->open), close;
	char sigil = inside < s->len ? s->text[inside] : '\0';
	char closing[DELIMITER_MAX + 2] = { 0 };
	struct token t = { .kind = kind_of(sigil), .at = at, .from = at, .line = s->line };

	if (sigil == '{' || sigil == '=')
		closing[0] = sigil == '{' ? '}' : '=';
	memcpy(closing + (closing[0] != '\0'), s->close, strlen(s->close) + 1);
	if (t.kind != TOKEN_VAR)
		inside++;
	close = find(s, inside, closing);
	if (close == s->len) {
		s->why = mem_printf(s->mem, "a tag is opened and never closed with %s", closing);
		return false;
	}
	t.body = trimmed(s->text + inside, close - inside);
	t.end = t.to = close + strlen(closing);
	if (!t.body.len && t.kind != TOKEN_COMMENT) {
		s->why = "a tag with nothing in it";
		return false;
	}
	see_line(s, &t);
	if (!keep(s, t) || (t.kind == TOKEN_DELIMITERS && !take_delimiters(s, t.body)))
		return false;
	advance(s, t.end);
	return true;
}

static void cut_start(struct token *t)
{
	t->from = t->line_start;
	t->cut_before = true;
}

static void cut_end(struct token *t)
{
	t->to = t->line_end;
}

/*
 * An argument (a block right inside a parent): the text around it is dropped anyway, so only its
 * inner edges count.
 */
static void cut_argument(struct token *open, struct token *close)
{
	if (open->clear_after)
		cut_end(open);
	if (close->clear_before)
		cut_start(close);
}

static void cut_parameter(struct token *open, struct token *close)
{
	bool pair = open->clear_before && close->clear_after;
	bool open_alone = open->clear_before && open->clear_after;
	bool close_alone = close->clear_before && close->clear_after;

	if (pair)
		cut_start(open);
	if (open_alone) {
		cut_start(open);
		cut_end(open);
	}
	if (close_alone)
		cut_start(close);
	if (pair || close_alone)
		cut_end(close);
}

static void cut_lines(struct tokens *all)
{
	for (int i = 0; i < all->count; i++) {
		struct token *t = &all->items[i],
			     *other = t->match >= 0 ? &all->items[t->match] : NULL;
		enum token_kind kind = t->kind == TOKEN_END && other ? other->kind : t->kind;

		if (t->kind == TOKEN_BLOCK && other) {
			if (t->outer >= 0 && all->items[t->outer].kind == TOKEN_PARENT)
				cut_argument(t, other);
			else
				cut_parameter(t, other);
		} else if (t->kind == TOKEN_PARENT && other) {
			if (t->clear_before && other->clear_after) {
				cut_start(t);
				cut_end(other);
			}
		} else if (kind != TOKEN_VAR && kind != TOKEN_RAW && kind != TOKEN_BLOCK &&
			kind != TOKEN_PARENT && t->clear_before && t->clear_after) {
			cut_start(t);
			cut_end(t);
		}
	}
}

bool template_scan(void *mem, struct slice source, struct tokens *out, int *line, const char **why)
{
	struct scanner s = { .mem = mem,
		.text = source.text,
		.len = source.len,
		.line = 1,
		.tokens = out,
		.open = "{{",
		.close = "}}" };
	bool good = true;

	*out = (struct tokens){ .items = NULL };
	for (advance(&s, find(&s, 0, s.open)); good && s.pos < s.len;
		advance(&s, find(&s, s.pos, s.open)))
		good = take_tag(&s);
	*line = s.line;
	if (good && s.depth) {
		const struct token *t = &out->items[s.stack[s.depth - 1]];

		s.why = mem_printf(mem, "{{%.*s}} is never closed", (int)t->body.len, t->body.text);
		*line = t->line;
		good = false;
	}
	*why = s.why;
	if (good)
		cut_lines(out);
	return good;
}
