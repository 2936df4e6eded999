#ifndef STINT_VIEW_TEMPLATE_H
#define STINT_VIEW_TEMPLATE_H
/*
 * A parsed template: a tree of nodes that nobody changes after views_link(), so that forked workers
 * share its pages. Inside view/ only.
 *
 *   scan.c    text -> tags, their pairs, and which white space belongs to them (standalone lines)
 *   parse.c   tags -> tree; block arguments lose their indentation here
 *   expr.c    what stands inside a tag: names, literals, formatters
 *   views.c   a set of templates, and the links between them
 *   render.c  tree + documents -> text
 */
#include <stdbool.h>
#include <stddef.h>
#include "view/view.h"

#define TEMPLATE_NEST_MAX 64 /* tags open at once in one template */
#define TEMPLATE_ARGS_MAX 8 /* arguments of a formatter */

struct slice {
	const char *text;
	size_t len;
};

enum token_kind {
	TOKEN_VAR,
	TOKEN_RAW,
	TOKEN_SECTION,
	TOKEN_INVERTED,
	TOKEN_PARENT,
	TOKEN_BLOCK,
	TOKEN_END,
	TOKEN_PARTIAL,
	TOKEN_COMMENT,
	TOKEN_DELIMITERS,
};

/* A tag. The text between two tags is what lies between one's `to` and the next one's `from`. */
struct token {
	enum token_kind kind;
	size_t at, end; /* the tag itself in the source */
	size_t from, to; /* with the white space that goes with it */
	size_t line_start,
		line_end; /* where its line begins, and behind the newline of the line it ends on */
	struct slice body; /* inside the tag, without sigil and padding */
	int line;
	int match; /* index of its other half, or -1 */
	int outer; /* index of the tag it stands in, or -1 */
	bool clear_before; /* only white space before it on its line */
	bool clear_after; /* only white space behind it on its line */
	bool cut_before; /* that before it goes with it, even when it is empty */
};

struct tokens {
	struct token *items;
	int count;
};

/* false, *line and *why. All below mem. */
bool template_scan(void *mem, struct slice source, struct tokens *out, int *line, const char **why);

enum operand_kind { OPERAND_NAME,
	OPERAND_TOP,
	OPERAND_LITERAL };

struct operand {
	enum operand_kind kind;
	const char *text; /* the whole name, or the literal */
	const char **parts; /* of a dotted name; parts[0] is "" when it begins with a dot */
	int nparts;
};

struct formatter;
struct pipe {
	const struct formatter *formatter;
	struct operand *args;
	int nargs;
};

struct expr {
	struct operand head;
	struct pipe *pipes;
	int npipes;
};

/* A name made of the text; false when it is none. */
bool operand_name(void *mem, struct slice name, struct operand *out);
bool expr_parse(void *mem, struct slice body, struct expr **out, const char **why);

enum node_kind {
	NODE_TEXT,
	NODE_VAR,
	NODE_RAW,
	NODE_SECTION,
	NODE_INVERTED,
	NODE_PARTIAL,
	NODE_PARENT,
	NODE_BLOCK
};

struct nodes {
	struct node *items;
	int count;
};

struct template;
struct node {
	enum node_kind kind;
	int line; /* 0 for text */
	/* NODE_TEXT */
	struct slice text;
	bool starts_line; /* its first byte is the first of a line */
	bool ends_open; /* it ends with a newline, and what follows stands on that new line */
	/* NODE_VAR, NODE_RAW, NODE_SECTION, NODE_INVERTED */
	struct expr *expr;
	/* NODE_PARTIAL, NODE_PARENT, NODE_BLOCK */
	const char *name;
	const struct template *target;
	bool standalone; /* alone on its line: indent applies to what it brings in */
	struct slice indent; /* white space before it */
	/* NODE_BLOCK: see block in render.c */
	bool opens_line; /* its content begins on a line of its own */
	bool closes_line; /* its content ends with a newline */
	bool has_intrinsic;
	struct slice intrinsic; /* indentation of its content */
	struct slice newline; /* that stood behind its closing tag */
	/* NODE_SECTION, NODE_INVERTED, NODE_BLOCK: content; NODE_PARENT: its blocks */
	struct nodes children;
};

struct template
{
	const char *name;
	const char *place; /* for messages: "tags/index.html" */
	struct slice source;
	bool escape;
	struct nodes nodes;
};

/* Fills t->nodes from t->source. */
bool template_parse(void *mem, struct template *t, const char **why);

struct views {
	bool strict;
	struct template **templates; /* sorted by name once linked */
	size_t count;
	const char **names;
	struct json_object *assets; /* NULL: none were given */
};

const struct template *views_find(const struct views *v, const char *name);
/* The address of a static file, or NULL. */
const char *views_asset(const struct views *v, const char *name);

#endif
