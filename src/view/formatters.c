/*
 * The table of formatters, and those that work on text. Times are in format_time.c, charts in
 * charts.c.
 */
#include "view/formatters.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "view/i18n.h"

#define NAME_MAX_BYTES 128

bool format_refuse(struct format *f, const char *wants)
{
	size_t len;
	const char *text = value_text(f->mem, &f->in, &len);

	f->why = mem_printf(f->mem, "wants %s, not \"%.40s\"", wants, text);
	if (render_is_strict(f->render))
		return false;
	buf_add(f->out, text, len);
	return true;
}

const char *format_arg(struct format *f, int i)
{
	size_t len;

	return i < f->nargs ? value_text(f->mem, &f->args[i], &len) : "";
}

static const char *input_text(struct format *f)
{
	size_t len;

	return value_text(f->mem, &f->in, &len);
}

/* {name|formatter}: the value of name through the formatter. */
static bool fill_one(
	struct format *f, const char *name, size_t len, const struct formatter *formatter)
{
	struct format inner = {
		.env = f->env, .views = f->views, .render = f->render, .mem = f->mem, .out = f->out
	};
	struct slice path = { .text = name, .len = len };
	struct operand operand;
	const char *text;

	if (!operand_name(f->mem, path, &operand))
		return false;
	if (!render_lookup(f->render, &operand, &inner.in) && render_is_strict(f->render)) {
		f->why = mem_printf(f->mem, "the document has no \"%s\"", operand.text);
		return false;
	}
	if (formatter) {
		if (formatter->fn(&inner))
			return true;
		f->why = inner.why;
		return false;
	}
	text = value_text(f->mem, &inner.in, &len);
	buf_add(f->out, text, len);
	return true;
}

/* What stands between braces, when it can be filled; 0 when the brace is just a brace. */
static size_t placeholder(const char *at, size_t *name, const struct formatter **formatter)
{
	size_t end;

	*formatter = NULL;
	*name = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz0123456789_.");
	end = *name + 1;
	if (*name && at[end] == '|') {
		size_t len = strspn(at + end + 1, "abcdefghijklmnopqrstuvwxyz_");

		*formatter = formatter_find(at + end + 1, len);
		end += len + 1;
		if (!*formatter || (*formatter)->markup || (*formatter)->least)
			return 0;
	}
	return *name && *name < NAME_MAX_BYTES && at[end] == '}' ? end + 1 : 0;
}

bool format_fill(struct format *f, const char *text, const char *n)
{
	while (*text) {
		size_t plain = strcspn(text, "{"), name, len;
		const struct formatter *formatter;

		buf_add(f->out, text, plain);
		text += plain;
		if (!*text)
			break;
		len = placeholder(text, &name, &formatter);
		if (!len)
			buf_putc(f->out, *text++);
		else if (n && name == 1 && text[1] == 'n' && !formatter)
			buf_puts(f->out, n);
		else if (!fill_one(f, text + 1, name, formatter))
			return false;
		text += len;
	}
	return true;
}

/* The empty string would give the catalogue's header. */
static const char *translated(const char *text)
{
	return *text ? _(text) : text;
}

static bool format_t(struct format *f)
{
	return format_fill(f, translated(input_text(f)), NULL);
}

static bool format_pattern(struct format *f)
{
	buf_puts(f->out, translated(input_text(f)));
	return true;
}

static bool format_plural(struct format *f)
{
	const char *one = format_arg(f, 0), *many = format_arg(f, 1);
	int64_t n;

	if (!value_int(&f->in, &n))
		return format_refuse(f, "a whole number");
	return format_fill(f, ngettext(one, many, (unsigned long)(n < 0 ? -n : n)),
		mem_printf(f->mem, "%lld", (long long)n));
}

static bool format_asset(struct format *f)
{
	const char *address = views_asset(f->views, input_text(f));

	if (!address && f->views->assets) {
		f->why = mem_printf(f->mem, "there is no static file \"%s\"", input_text(f));
		return false;
	}
	buf_puts(f->out, address ? address : mem_printf(f->mem, "/static/%s", input_text(f)));
	return true;
}

static bool equals(struct format *f, int arg)
{
	return str_eq(input_text(f), format_arg(f, arg));
}

static bool format_is(struct format *f)
{
	for (int i = 0; i < f->nargs; i++) {
		if (equals(f, i)) {
			buf_puts(f->out, "true");
			break;
		}
	}
	return true;
}

static bool format_selected(struct format *f)
{
	if (equals(f, 0))
		buf_puts(f->out, " selected");
	return true;
}

static bool is_in(struct format *f, struct json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *thing = json_object_array_get_idx(list, i);
		struct value item = value_of(thing);
		size_t len;

		/* Of things with an id it is the id that counts: a row's tags. */
		if (json_object_is_type(thing, json_type_object))
			item = value_of(json_object_object_get(thing, "id"));

		if (str_eq(input_text(f), value_text(f->mem, &item, &len)))
			return true;
	}
	return false;
}

/* Alone it looks at the value, which a form sent back as text. */
static bool format_checked(struct format *f)
{
	const char *text = input_text(f);
	bool on;

	if (!f->nargs)
		on = value_is_true(&f->in) && !str_eq(text, "false") && !str_eq(text, "0") &&
			!str_eq(text, "off");
	else if (json_object_is_type(f->args[0].json, json_type_array))
		on = is_in(f, f->args[0].json);
	else
		on = equals(f, 0);
	if (on)
		buf_puts(f->out, " checked");
	return true;
}

static bool format_json(struct format *f)
{
	if (f->in.text)
		buf_json_str(f->out, f->in.text, f->in.len);
	else
		buf_puts(f->out, f->in.json ? json_text(f->mem, f->in.json) : "null");
	return true;
}

/* One character, as a capital. Returns its bytes. */
static size_t put_capital(struct buf *out, const char *s)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t len = mbrtowc(&c, s, MB_CUR_MAX > 1 ? strlen(s) : 0, &state);
	char bytes[MB_LEN_MAX];

	if (!len || len > MB_LEN_MAX) {
		len = 1;
		while (((unsigned char)s[len] & 0xc0) == 0x80)
			len++;
		if (len == 1)
			buf_putc(out, (char)toupper((unsigned char)*s));
		else
			buf_add(out, s, len);
		return len;
	}
	memset(&state, 0, sizeof(state));
	buf_add(out, bytes, wcrtomb(bytes, (wchar_t)towupper((wint_t)c), &state));
	return len;
}

/* Of the first and the last word. */
static bool format_initials(struct format *f)
{
	const char *name = str_trim(f->mem, input_text(f)), *last = strrchr(name, ' ');

	if (*name)
		put_capital(f->out, name);
	if (last)
		put_capital(f->out, last + 1);
	return true;
}

static bool format_upper_first(struct format *f)
{
	const char *text = input_text(f);

	if (*text)
		buf_puts(f->out, text + put_capital(f->out, text));
	return true;
}

/* The class of a project's colour; c0 is the grey of what has none. */
static bool format_color(struct format *f)
{
	int64_t n = 0;

	if (!value_is_empty(&f->in) && (!value_int(&f->in, &n) || n < 0 || n > 12))
		return format_refuse(f, "a colour from 1 to 12");
	buf_printf(f->out, "c%d", (int)n);
	return true;
}

static bool format_percent(struct format *f)
{
	double share = f->in.json ? json_object_get_double(f->in.json) : 0;

	if (value_is_empty(&f->in))
		return true;
	if (!f->in.json || !json_object_is_type(f->in.json, json_type_string)) {
		bool little = share > 0 && share < 1;

		return format_fill(f, little ? _("under {n}%") : _("{n}%"),
			mem_printf(f->mem, "%.0f", little ? 1 : floor(share + 0.5)));
	}
	return format_refuse(f, "a number from 0 to 100");
}

/* What a member is, in words. */
static bool format_role(struct format *f)
{
	static const struct {
		const char *role, *text;
	} roles[] = {
		{ .role = "owner", .text = N_("Owner") },
		{ .role = "manager", .text = N_("Manager") },
		{ .role = "member", .text = N_("Member") },
	};

	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
		if (str_eq(roles[i].role, input_text(f))) {
			buf_puts(f->out, _(roles[i].text));
			return true;
		}
	}
	return value_is_empty(&f->in) || format_refuse(f, "a role");
}

/* What a person can be told of, in words. */
static bool format_notification_kind(struct format *f)
{
	static const struct {
		const char *kind, *text;
	} kinds[] = {
		{ .kind = "entry_changed", .text = N_("Somebody else changed my time") },
		{ .kind = "role_changed", .text = N_("My role was changed") },
		{ .kind = "timer_long", .text = N_("My timer has been running for very long") },
		{ .kind = "webhook_disabled", .text = N_("A webhook was switched off") },
		{ .kind = "job_dead", .text = N_("A background job gave up") },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (str_eq(kinds[i].kind, input_text(f))) {
			buf_puts(f->out, _(kinds[i].text));
			return true;
		}
	}
	return value_is_empty(&f->in) || format_refuse(f, "a kind of notification");
}

static bool format_url(struct format *f)
{
	size_t len;
	const char *text = value_text(f->mem, &f->in, &len);

	buf_url(f->out, text, len);
	return true;
}

static bool format_default(struct format *f)
{
	buf_puts(f->out, value_is_empty(&f->in) ? format_arg(f, 0) : input_text(f));
	return true;
}

static const struct formatter table[] = {
	{ .name = "ago",
		.fn = format_ago,
		.text = "an instant as \"5 minutes ago\"; a date when it is long ago" },
	{ .name = "asset", .fn = format_asset, .text = "the address of a static file" },
	{ .name = "bars", .fn = chart_bars, .markup = true, .text = "a week's days as bars" },
	{ .name = "checked",
		.fn = format_checked,
		.most = 1,
		.markup = true,
		.text = "\" checked\" when the value is true, equals the argument or is in it" },
	{ .name = "clock", .fn = format_clock, .text = "seconds as 1:30:05" },
	{ .name = "color",
		.fn = format_color,
		.text = "a project's colour as its class: c1 to c12, c0 without" },
	{ .name = "date",
		.fn = format_date,
		.text = "Mon 23 Nov; with the year when it is not this one" },
	{ .name = "datetime",
		.fn = format_datetime,
		.text = "Today, 09:40: an instant as day and time" },
	{ .name = "day", .fn = format_day, .text = "Today, Yesterday, else the date" },
	{ .name = "default",
		.fn = format_default,
		.least = 1,
		.most = 1,
		.text = "the argument where there is nothing" },
	{ .name = "duration",
		.fn = format_duration,
		.text = "seconds as 1:30, or 1.50 for whom it likes" },
	{ .name = "hours", .fn = format_hours, .text = "seconds as 37.5 h" },
	{ .name = "initials", .fn = format_initials, .text = "of a name" },
	{ .name = "instant_iso",
		.fn = format_instant_iso,
		.text = "an instant for <time datetime>" },
	{ .name = "is",
		.fn = format_is,
		.least = 1,
		.most = TEMPLATE_ARGS_MAX,
		.text = "\"true\" when the value equals one of the arguments: for sections" },
	{ .name = "iso_date",
		.fn = format_iso_date,
		.text = "2026-11-23, of an instant in the person's zone" },
	{ .name = "json", .fn = format_json, .text = "as JSON" },
	{ .name = "long_date", .fn = format_long_date, .text = "Monday 23 November 2026" },
	{ .name = "month", .fn = format_month, .text = "November 2026" },
	{ .name = "notification_kind", .fn = format_notification_kind, .text = "what a person can be told of, in words" },
	{ .name = "pattern",
		.fn = format_pattern,
		.text = "translated, {names} kept for scripts to fill" },
	{ .name = "percent", .fn = format_percent, .text = "0 to 100 as 37%" },
	{ .name = "plural",
		.fn = format_plural,
		.least = 2,
		.most = 2,
		.text = "the first argument for one, the second for others; {n} is the number" },
	{ .name = "ranked", .fn = chart_ranked, .markup = true, .text = "projects as ranked bars" },
	{ .name = "role", .fn = format_role, .text = "owner, manager or member in words" },
	{ .name = "selected",
		.fn = format_selected,
		.least = 1,
		.most = 1,
		.markup = true,
		.text = "\" selected\" when the value equals the argument" },
	{ .name = "t", .fn = format_t, .text = "translated, {names} filled" },
	{ .name = "time", .fn = format_time, .text = "09:40 or 9:40 am, in the person's zone" },
	{ .name = "timeline", .fn = chart_timeline, .markup = true, .text = "a day as a line" },
	{ .name = "upper_first", .fn = format_upper_first, .text = "with a capital" },
	{ .name = "url", .fn = format_url, .text = "for a part of an address" },
	{ .name = "weekday",
		.fn = format_weekday,
		.most = 1,
		.text = "Mon; Monday with the argument \"long\"" },
	{ .name = NULL },
};

const struct formatter *formatters_all(void)
{
	return table;
}

const struct formatter *formatter_find(const char *name, size_t len)
{
	for (const struct formatter *f = table; f->name; f++)
		if (strlen(f->name) == len && !memcmp(f->name, name, len))
			return f;
	return NULL;
}
