/*
 * The tree and the documents become text. Everything made on the way hangs below the output's
 * context; the tree itself is only read, since workers share it.
 *
 * Indentation: a partial alone on its line has each of its own lines indented (what comes from
 * documents is not). Text nodes know which of their bytes begin a line, so that indenting costs
 * nothing where there is none.
 *
 * Limits: templates that include each other without end, or multiply, end in an error and not in a
 * dead worker.
 */
#include "view/template.h"

#include <string.h>

#include "base/mem.h"
#include "view/formatters.h"
#include "view/i18n.h"

#define PARTIALS_MAX 64
#define LEVELS_MAX 512
#define STEPS_MAX 1000000

/*
 * A parent being rendered, and the arguments it was given. The outermost that names a block wins.
 */
struct frame {
	const struct node *parent;
	const struct template *template; /* that the arguments stand in */
	const struct frame *outer;
};

struct render {
	const struct views *views;
	const struct view_env *env;
	const struct template *template; /* whose nodes these are */
	struct buf *out;
	struct buf scratch;
	struct json_object **stack;
	size_t depth, room;
	struct slice indent;
	const struct frame *frames;
	int partials, levels, steps;
	int line;
	const char *why;
};

static bool render_nodes(struct render *r, const struct nodes *nodes);

static bool broken(struct render *r, const char *why)
{
	r->why = mem_printf(r->out->mem, "%s:%d: %s", r->template->place, r->line, why);
	return false;
}

bool render_is_strict(const struct render *r)
{
	return r->views->strict;
}

static void push(struct render *r, struct json_object *json)
{
	if (r->depth == r->room) {
		r->room *= 2;
		r->stack = mem_grow(r->out->mem, r->stack, struct json_object *, r->room);
	}
	r->stack[r->depth++] = json;
}

static bool get(struct json_object *from, const char *key, struct json_object **out)
{
	return json_object_is_type(from, json_type_object) &&
		json_object_object_get_ex(from, key, out);
}

/*
 * Each further part is looked for only in what the part before it gave; below null everything is
 * null.
 */
static bool lookup_rest(const struct operand *name, struct json_object *from, struct value *out)
{
	for (int i = 1; i < name->nparts; i++) {
		if (!from)
			return true;
		if (!get(from, name->parts[i], &from))
			return false;
	}
	*out = value_of(from);
	return true;
}

bool render_lookup(struct render *r, const struct operand *name, struct value *out)
{
	struct json_object *found = NULL;

	*out = (struct value){ .json = NULL };
	if (name->kind == OPERAND_LITERAL) {
		*out = (struct value){ .text = name->text, .len = strlen(name->text) };
		return true;
	}
	if (!r->depth)
		return false;
	if (name->kind == OPERAND_TOP) {
		*out = value_of(r->stack[r->depth - 1]);
		return true;
	}
	if (!*name->parts[0])
		return lookup_rest(name, r->stack[r->depth - 1], out);
	for (size_t i = r->depth; i-- > 0;)
		if (get(r->stack[i], name->parts[0], &found))
			return lookup_rest(name, found, out);
	return false;
}

static bool find_value(struct render *r, const struct operand *name, struct value *out)
{
	if (render_lookup(r, name, out) || !r->views->strict)
		return true;
	return broken(r, mem_printf(r->out->mem, "the document has no \"%s\"", name->text));
}

/* Runs one formatter over in; its text goes to out. */
static bool run_pipe(struct render *r, const struct pipe *p, struct value in, struct buf *out)
{
	struct format f = { .env = r->env,
		.views = r->views,
		.render = r,
		.mem = r->out->mem,
		.in = in,
		.nargs = p->nargs,
		.out = out };

	for (int i = 0; i < p->nargs; i++)
		if (!find_value(r, &p->args[i], &f.args[i]))
			return false;
	if (p->formatter->fn(&f))
		return true;
	return r->why ? false
		      : broken(r,
				mem_printf(f.mem, "%s: %s", p->formatter->name,
					f.why ? f.why : "failed"));
}

/* The value of the tag before its last `keep` formatters. */
static bool evaluate(struct render *r, const struct expr *e, int keep, struct value *v)
{
	if (!find_value(r, &e->head, v))
		return false;
	for (int i = 0; i < e->npipes - keep; i++) {
		buf_reset(&r->scratch);
		if (!run_pipe(r, &e->pipes[i], *v, &r->scratch))
			return false;
		*v = (struct value){ .text = mem_strndup(
					     r->out->mem, r->scratch.data, r->scratch.len),
			.len = r->scratch.len };
	}
	return true;
}

static bool render_tag(struct render *r, const struct node *n)
{
	const struct expr *e = n->expr;
	bool escape = n->kind == NODE_VAR && r->template->escape;
	struct value v;
	const char *text;
	size_t len;

	if (!evaluate(r, e, 1, &v))
		return false;
	if (e->npipes) {
		const struct pipe *last = &e->pipes[e->npipes - 1];

		if (last->formatter->markup || !escape)
			return run_pipe(r, last, v, r->out);
		buf_reset(&r->scratch);
		if (!run_pipe(r, last, v, &r->scratch))
			return false;
		text = r->scratch.data;
		len = r->scratch.len;
	} else {
		text = value_text(r->out->mem, &v, &len);
	}
	if (escape)
		buf_html(r->out, text, len);
	else
		buf_add(r->out, text, len);
	return true;
}

static void render_text(struct render *r, const struct node *n)
{
	const char *at = n->text.text, *end = at + n->text.len;

	if (!r->indent.len) {
		buf_add(r->out, at, n->text.len);
		return;
	}
	if (n->starts_line)
		buf_add(r->out, r->indent.text, r->indent.len);
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline ? newline + 1 : end;

		buf_add(r->out, at, (size_t)(next - at));
		at = next;
		if (newline && (at < end || n->ends_open))
			buf_add(r->out, r->indent.text, r->indent.len);
	}
}

static bool render_list(struct render *r, const struct node *n, struct json_object *list)
{
	size_t count = json_object_array_length(list);
	bool good = true;

	for (size_t i = 0; good && i < count; i++) {
		push(r, json_object_array_get_idx(list, i));
		good = render_nodes(r, &n->children);
		r->depth--;
	}
	return good;
}

static bool render_section(struct render *r, const struct node *n)
{
	struct value v;
	bool good;

	if (!evaluate(r, n->expr, 0, &v))
		return false;
	if (n->kind == NODE_INVERTED)
		return value_is_true(&v) || render_nodes(r, &n->children);
	if (json_object_is_type(v.json, json_type_array))
		return render_list(r, n, v.json);
	if (!value_is_true(&v))
		return true;
	if (v.text) /* what a formatter said is a condition alone */
		return render_nodes(r, &n->children);
	push(r, v.json);
	good = render_nodes(r, &n->children);
	r->depth--;
	return good;
}

static struct slice joined(struct render *r, struct slice a, struct slice b)
{
	if (!a.len || !b.len)
		return a.len ? a : b;
	return (struct slice){ .len = a.len + b.len,
		.text = mem_printf(
			r->out->mem, "%.*s%.*s", (int)a.len, a.text, (int)b.len, b.text) };
}

/* Another template at this place; inline, its lines are its own. */
static bool render_template(struct render *r, const struct node *n, const struct frame *frames)
{
	struct render before = *r;
	bool good;

	if (!n->target)
		return true;
	if (r->partials == PARTIALS_MAX)
		return broken(r,
			mem_printf(r->out->mem, "templates include each other more than %d deep",
				PARTIALS_MAX));
	r->indent = n->standalone ? joined(r, r->indent, n->indent) : (struct slice){ .len = 0 };
	r->template = n->target;
	r->frames = frames;
	r->partials++;
	good = render_nodes(r, &n->target->nodes);
	r->partials--;
	r->template = before.template;
	r->frames = before.frames;
	r->indent = before.indent;
	return good;
}

static const struct node *argument_of(const struct node *parent, const char *name)
{
	for (int i = 0; i < parent->children.count; i++)
		if (!strcmp(parent->children.items[i].name, name))
			return &parent->children.items[i];
	return NULL;
}

/*
 * What a block is filled with: the argument of the outermost frame that has one, else the block
 * itself.
 */
static const struct node *block_content(
	const struct render *r, const struct node *block, const struct frame **from)
{
	const struct node *found = block, *argument;

	*from = NULL;
	for (const struct frame *f = r->frames; f; f = f->outer) {
		argument = argument_of(f->parent, block->name);
		if (argument) {
			found = argument;
			*from = f;
		}
	}
	return found;
}

/*
 * Where a block stands alone, an argument is moved to where the block's own content stands: each
 * line gets the indentation of that content or, when there is none, of the block's tag. The
 * argument's names are looked up here; blocks inside it belong to the template it was written in.
 */
static bool render_block(struct render *r, const struct node *block)
{
	struct render before = *r;
	const struct frame *from;
	const struct node *content = block_content(r, block, &from);
	bool good;

	if (from) {
		r->indent = block->standalone
			? joined(r, r->indent,
				  block->has_intrinsic ? block->intrinsic : block->indent)
			: (struct slice){ .len = 0 };
		r->frames = from->outer;
		r->template = from->template;
	}
	if (block->standalone && content->children.count && !content->opens_line) {
		buf_add(r->out, r->indent.text, r->indent.len);
		if (!from)
			buf_add(r->out, block->indent.text, block->indent.len);
	}
	good = render_nodes(r, &content->children);
	if (content->children.count && !content->closes_line)
		buf_add(r->out, block->newline.text, block->newline.len);
	r->indent = before.indent;
	r->frames = before.frames;
	r->template = before.template;
	return good;
}

static bool render_node(struct render *r, const struct node *n)
{
	struct frame frame = { .parent = n, .template = r->template, .outer = r->frames };

	if (n->kind != NODE_TEXT)
		r->line = n->line;
	switch (n->kind) {
	case NODE_TEXT:
		render_text(r, n);
		return true;
	case NODE_VAR:
	case NODE_RAW:
		return render_tag(r, n);
	case NODE_SECTION:
	case NODE_INVERTED:
		return render_section(r, n);
	case NODE_PARTIAL:
		return render_template(r, n, r->frames);
	case NODE_PARENT:
		return render_template(r, n, &frame);
	case NODE_BLOCK:
		return render_block(r, n);
	}
	return true;
}

static bool render_nodes(struct render *r, const struct nodes *nodes)
{
	bool good = true;

	if (r->levels == LEVELS_MAX)
		return broken(r, mem_printf(r->out->mem, "more than %d levels", LEVELS_MAX));
	r->levels++;
	for (int i = 0; good && i < nodes->count; i++)
		good = ++r->steps < STEPS_MAX ? render_node(r, &nodes->items[i])
					      : broken(r, "the page does not end");
	r->levels--;
	return good;
}

bool view_render(const struct views *v, const char *name, const struct view_env *env,
	struct json_object *const *stack, int depth, struct buf *out, const char **why)
{
	const struct template *t = views_find(v, name);
	struct render r = { .views = v, .env = env, .template = t, .out = out, .room = 32 };

	if (!t) {
		*why = mem_printf(out->mem, "there is no template %s", name);
		return false;
	}
	i18n_use(env->language);
	buf_init(&r.scratch, out->mem);
	r.stack = mem_array(out->mem, struct json_object *, r.room);
	for (int i = 0; i < depth; i++)
		push(&r, stack[i]);
	if (render_nodes(&r, &t->nodes))
		return true;
	*why = r.why;
	return false;
}
