/*
 * Configuration: conf.def as a table, filled from the environment, the file and the defaults, in this
 * order. Everything is judged before anything starts, and each refusal says where the value stands and what would
 * be right: an operator at night should not have to read this file.
 *
 * A secret's value never goes into a message.
 */
#include "base/conf.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/conf_private.h"
#include "base/mem.h"
#include "base/str.h"

#define DEFAULT_FILE "/etc/stint/stint.conf"
#define SECRET_FILE_MAX 4096
#define OTHERS_READ 0004

enum option_type {
	OPTION_TEXT,
	OPTION_CHOICE,
	OPTION_INT,
	OPTION_BOOL,
	OPTION_SECRET,
};

struct option {
	const char *key;
	enum option_type type;
	size_t offset; /* in struct conf */
	const char *dflt; /* text, choice */
	const char *choices; /* "one|of|these" */
	int64_t number; /* default of integers and booleans */
	int64_t min, max; /* of integers; min is a secret's least length: 0 when it need not be there and is not ours to judge */
	const char *text;
};

static const struct option options[] = {
#define CONF_TEXT(name, value, about) \
	{ .key = #name, .type = OPTION_TEXT, .offset = offsetof(struct conf, name), .dflt = (value), .text = (about) },
#define CONF_CHOICE(name, value, list, about) \
	{ .key = #name, .type = OPTION_CHOICE, .offset = offsetof(struct conf, name), .dflt = (value), .choices = (list), .text = (about) },
#define CONF_INT(name, value, least, most, about) \
	{ .key = #name, .type = OPTION_INT, .offset = offsetof(struct conf, name), .number = (value), \
		.min = (least), .max = (most), .text = (about) },
#define CONF_BOOL(name, value, about) \
	{ .key = #name, .type = OPTION_BOOL, .offset = offsetof(struct conf, name), .number = (value), .text = (about) },
#define CONF_SECRET(name, least, about) \
	{ .key = #name, .type = OPTION_SECRET, .offset = offsetof(struct conf, name), .min = (least), .text = (about) },
#include "base/conf.def"
#undef CONF_TEXT
#undef CONF_CHOICE
#undef CONF_INT
#undef CONF_BOOL
#undef CONF_SECRET
};

#define OPTIONS (sizeof(options) / sizeof(*options))

struct loading {
	void *mem;
	struct conf *conf;
	struct conf_file file;
	bool open; /* without the secrets that must be set */
	const char *why;
};

/* Where a value came from, as messages begin: "/etc/stint/stint.conf:12: web_workers". */
struct source {
	const char *value; /* NULL when it is set nowhere */
	const char *label;
};

static char *env_name(void *mem, const char *key, const char *suffix)
{
	char *name = mem_printf(mem, "STINT_%s%s", key, suffix);

	for (char *c = name; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return name;
}

static struct source from_env(const struct loading *l, const char *key, const char *suffix)
{
	char *name = env_name(l->mem, key, suffix);

	return (struct source){
		.value = getenv(name),
		.label = mem_printf(l->mem, "environment variable %s", name),
	};
}

static struct source from_file(const struct loading *l, const char *key, const char *suffix)
{
	const struct conf_line *line = conf_file_find(&l->file, mem_printf(l->mem, "%s%s", key, suffix));

	if (!line)
		return (struct source){ .value = NULL };
	return (struct source){
		.value = line->value,
		.label = mem_printf(l->mem, "%s:%d: %s", l->file.path, line->number, line->key),
	};
}

static bool refuse(struct loading *l, const struct source *from, const char *fault, const char *remedy)
{
	l->why = mem_printf(l->mem, "%s: %s. %s", from->label, fault, remedy);
	return false;
}

static bool one_of(const char *choices, const char *value)
{
	size_t len = strlen(value);

	while (choices) {
		const char *end = strchrnul(choices, '|');

		if (len && (size_t)(end - choices) == len && memcmp(choices, value, len) == 0)
			return true;
		choices = *end ? end + 1 : NULL;
	}
	return false;
}

/* Text goes into addresses, headers and log lines. */
static bool clean_text(const char *s)
{
	for (const char *c = s; *c; c++)
		if (iscntrl((unsigned char)*c))
			return false;
	return str_is_utf8(s, strlen(s));
}

/* SCHEME://USER:PASSWORD@… or …password=…, as addresses of servers may have it. */
static bool holds_password(const char *s)
{
	const char *rest = strstr(s, "://"), *at = rest ? strchr(rest, '@') : NULL;
	const char *colon = rest ? strchr(rest + 3, ':') : NULL;

	return (at && colon && colon < at) || strstr(s, "password=");
}

/* What stands in the file for this option, when everybody may read it; else NULL. */
static const char *for_everybody(const struct loading *l, const struct option *o)
{
	const struct conf_line *line = l->file.mode & OTHERS_READ ? conf_file_find(&l->file, o->key) : NULL;

	return line ? line->value : NULL;
}

static bool refuse_for_everybody(struct loading *l, const char *what)
{
	l->why = mem_printf(l->mem, "%s: holds %s, and everybody may read it. Run: chmod o-rwx %s", l->file.path, what,
		l->file.path);
	return false;
}

static bool set_text(struct loading *l, const struct option *o, const struct source *from)
{
	const char **field = (const char **)(void *)((char *)l->conf + o->offset);
	const char *open_text;

	*field = mem_strdup(l->conf, from->value ? from->value : o->dflt);
	if (!clean_text(*field))
		return refuse(l, from, "holds control characters or is not UTF-8",
			"Give one line of plain text");
	if (o->type == OPTION_CHOICE && !one_of(o->choices, *field))
		return refuse(l, from, mem_printf(l->mem, "\"%s\" is not one of the choices", *field),
			mem_printf(l->mem, "Give one of %s", o->choices));
	open_text = for_everybody(l, o);
	if (open_text && holds_password(open_text))
		return refuse_for_everybody(l, mem_printf(l->mem, "a password in %s", o->key));
	return true;
}

static bool set_int(struct loading *l, const struct option *o, const struct source *from)
{
	int64_t *field = (int64_t *)(void *)((char *)l->conf + o->offset);

	*field = o->number;
	if (!from->value || str_to_int(from->value, o->min, o->max, field))
		return true;
	return refuse(l, from, mem_printf(l->mem, "\"%s\" is no whole number within range", from->value),
		mem_printf(l->mem, "Give one from %" PRId64 " to %" PRId64, o->min, o->max));
}

static bool set_bool(struct loading *l, const struct option *o, const struct source *from)
{
	bool *field = (bool *)((char *)l->conf + o->offset);

	*field = o->number != 0;
	if (!from->value)
		return true;
	*field = one_of("true|yes|on|1", from->value);
	if (*field || one_of("false|no|off|0", from->value))
		return true;
	return refuse(l, from, mem_printf(l->mem, "\"%s\" is neither true nor false", from->value),
		"Give true or false");
}

/* The content of a secret's own file. */
static bool secret_from_file(struct loading *l, struct source *from)
{
	const char *path = from->value;
	const char *fault = "cannot be read";
	size_t len;
	mode_t mode;
	char *text = conf_read(l->mem, path, SECRET_FILE_MAX, &len, &mode, &fault);

	if (!text)
		return refuse(l, from, mem_printf(l->mem, "the file %s %s", path, fault),
			"Name a readable file that holds the secret alone");
	if (mode & OTHERS_READ)
		return refuse(l, from, mem_printf(l->mem, "everybody may read %s", path),
			mem_printf(l->mem, "Run: chmod o-rwx %s", path));
	from->value = str_trim(l->mem, text);
	return true;
}

static struct source from_credentials(const struct loading *l, const char *key)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char *path = dir ? mem_printf(l->mem, "%s/%s", dir, key) : NULL;

	if (!path || access(path, F_OK) != 0)
		return (struct source){ .value = NULL };
	return (struct source){ .value = path, .label = mem_printf(l->mem, "credential %s", key) };
}

/* The first place that has it; false when that place is no good. Both in one place would leave open which counts. */
static bool secret_find(struct loading *l, const struct option *o, struct source *found)
{
	const struct source direct[] = { from_env(l, o->key, ""), from_file(l, o->key, "") };
	const struct source named[] = { from_env(l, o->key, "_FILE"), from_file(l, o->key, "_file") };

	for (int i = 0; i < 2; i++) {
		*found = direct[i].value ? direct[i] : named[i];
		if (direct[i].value && named[i].value)
			return refuse(l, found, mem_printf(l->mem, "%s is set too", named[i].label),
				"Keep one of them");
		if (direct[i].value)
			return true;
		if (named[i].value)
			return secret_from_file(l, found);
	}
	*found = from_credentials(l, o->key);
	return !found->value || secret_from_file(l, found);
}

static bool secret_missing(struct loading *l, const struct option *o)
{
	l->why = mem_printf(l->mem,
		"%s: not set, and it has no default. Make one with \"openssl rand -base64 48\" and give it as "
		"%s or %s_file in %s, as %s or %s, or as the systemd credential %s",
		o->key, o->key, o->key, l->file.path ? l->file.path : DEFAULT_FILE,
		env_name(l->mem, o->key, ""), env_name(l->mem, o->key, "_FILE"), o->key);
	return false;
}

static bool set_secret(struct loading *l, const struct option *o, const struct source *unused)
{
	const char **field = (const char **)(void *)((char *)l->conf + o->offset);
	struct source from;
	const char *fault;

	(void)unused;
	if (!secret_find(l, o, &from))
		return false;
	if ((!from.value || !*from.value) && !o->min) {
		*field = "";
		return true;
	}
	if (!from.value || !*from.value)
		return secret_missing(l, o);
	if (!clean_text(from.value))
		return refuse(l, &from, "holds control characters or is not UTF-8", "Give one line of plain text");
	fault = o->min ? conf_secret_fault(l->mem, from.value, (size_t)o->min) : NULL;
	if (fault)
		return refuse(l, &from, fault,
			mem_printf(l->mem, "Use at least %" PRId64 " random characters: openssl rand -base64 48",
				o->min));
	if (for_everybody(l, o))
		return refuse_for_everybody(l, o->key);
	*field = mem_strdup(l->conf, from.value);
	return true;
}

static bool set_option(struct loading *l, const struct option *o)
{
	static bool (*const set[])(struct loading *, const struct option *, const struct source *) = {
		[OPTION_TEXT] = set_text,
		[OPTION_CHOICE] = set_text,
		[OPTION_INT] = set_int,
		[OPTION_BOOL] = set_bool,
		[OPTION_SECRET] = set_secret,
	};
	const struct source file = from_file(l, o->key, "");
	const struct source env = from_env(l, o->key, "");

	return set[o->type](l, o, env.value ? &env : &file);
}

/* The option a misspelt key most likely means: the one sharing the longest beginning, or NULL. */
static const char *similar(const char *key)
{
	const char *best = NULL;
	size_t most = 2;

	for (size_t i = 0; i < OPTIONS; i++) {
		size_t n = 0;

		while (key[n] && key[n] == options[i].key[n])
			n++;
		if (n > most) {
			most = n;
			best = options[i].key;
		}
	}
	return best;
}

static bool known(const char *key)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		const char *name = options[i].key;

		if (str_eq(name, key) || (options[i].type == OPTION_SECRET && str_starts(key, name) && str_eq(key + strlen(name), "_file")))
			return true;
	}
	return false;
}

static bool all_known(struct loading *l)
{
	for (size_t i = 0; i < l->file.count; i++) {
		const struct conf_line *line = &l->file.lines[i];
		const char *meant = similar(line->key);

		if (known(line->key))
			continue;
		l->why = mem_printf(l->mem, "%s:%d: %s: no such option. %s%s%sRun \"stint config help\" for the list",
			l->file.path, line->number, line->key, meant ? "Did you mean " : "",
			meant ? meant : "", meant ? "? " : "");
		return false;
	}
	return true;
}

static bool load(struct loading *l, const char *path)
{
	if (!path)
		path = getenv("STINT_CONF");
	if (!path && access(DEFAULT_FILE, F_OK) == 0)
		path = DEFAULT_FILE;
	if (path && *path && !conf_file_read(l->mem, path, &l->file, &l->why))
		return false;
	if (!all_known(l))
		return false;
	for (size_t i = 0; i < OPTIONS; i++)
		if (!(l->open && options[i].type == OPTION_SECRET && options[i].min > 0) && !set_option(l, &options[i]))
			return false;
	return true;
}

static const struct conf *load_new(void *mem, const char *file, bool open, const char **why)
{
	struct loading l = { .mem = talloc_new(mem), .conf = mem_new(mem, struct conf), .open = open };
	bool ok = load(&l, file);

	if (!ok) {
		*why = mem_strdup(mem, l.why);
		mem_free(l.conf);
	}
	mem_free(l.mem);
	return ok ? l.conf : NULL;
}

const struct conf *conf_load(void *mem, const char *file, const char **why)
{
	return load_new(mem, file, false, why);
}

const struct conf *conf_load_open(void *mem, const char *file, const char **why)
{
	return load_new(mem, file, true, why);
}

static void help_type(struct buf *out, const struct option *o)
{
	switch (o->type) {
	case OPTION_TEXT:
		buf_printf(out, "text, default \"%s\"", o->dflt);
		break;
	case OPTION_CHOICE:
		buf_printf(out, "one of %s, default %s", o->choices, o->dflt);
		break;
	case OPTION_INT:
		buf_printf(out, "%" PRId64 " to %" PRId64 ", default %" PRId64, o->min, o->max, o->number);
		break;
	case OPTION_BOOL:
		buf_printf(out, "true or false, default %s", o->number ? "true" : "false");
		break;
	case OPTION_SECRET:
		if (o->min)
			buf_printf(out, "secret of at least %" PRId64 " characters, required; also %s_file", o->min, o->key);
		else
			buf_printf(out, "secret, default none; also %s_file", o->key);
		break;
	}
}

char *conf_help(void *mem)
{
	struct buf out;

	buf_init(&out, mem);
	buf_puts(&out, "Lines of \"key = value\" in " DEFAULT_FILE " (or -c FILE, or $STINT_CONF).\n"
		       "The environment wins over the file: STINT_ and the key in capitals. A secret may be named by\n"
		       "a file (KEY_file, STINT_KEY_FILE) or come as a systemd credential of the key's name.\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		buf_printf(&out, "\n%s\n\t%s\n\t", options[i].key, options[i].text);
		help_type(&out, &options[i]);
		buf_putc(&out, '\n');
	}
	return out.data;
}
