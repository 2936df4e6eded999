/*
 * One small parser per field type. Each says in its own words what is wrong and how to mend it; people read these
 * beside the field. Limits here are for clear words: the schema holds the same ones.
 */
#include "app/field_types.h"

#include <string.h>

#include "view/i18n.h"
#include "base/iso8601.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "domain/clocktime.h"
#include "domain/duration.h"
#include "domain/zones.h"

#define TEXT_MAX 200
#define LONGTEXT_MAX 5000
#define PASSWORD_MAX 200
#define EMAIL_MAX 254
#define YEAR_MIN 1970
#define YEAR_MAX 2199 /* later is a typing error, and far from where dates overflow */

struct parsing {
	void *mem;
	const struct field *f;
	enum duration_style style;
	const char *text;
	struct json_object **value;
	const char **message;
};

static enum err text_length(struct parsing *p, const char *text, int64_t most)
{
	int64_t length = (int64_t)str_length(text);

	if (p->f->max)
		most = p->f->max;
	if (length > most) {
		*p->message = mem_printf(p->mem, _("At most %lld characters; this has %lld."),
			(long long)most, (long long)length);
		return ERR_TOO_LONG;
	}
	if (length == 0 && (p->f->flags & F_REQUIRED))
		return ERR_REQUIRED;
	if (length < p->f->min && (length > 0 || p->f->flags & F_REQUIRED)) {
		*p->message = mem_printf(p->mem, _("At least %lld characters."),
			(long long)p->f->min);
		return ERR_TOO_SHORT;
	}
	return OK;
}

static bool has_control(const char *s, bool lines)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == 0x7f || (c < 0x20 && !(lines && (c == '\n' || c == '\r' || c == '\t'))))
			return true;
	}
	return false;
}

static enum err parse_text(struct parsing *p)
{
	bool lines = p->f->type == FIELD_LONGTEXT;
	const char *text = str_trim(p->mem, p->text);
	enum err e = text_length(p, text, lines ? LONGTEXT_MAX : TEXT_MAX);

	if (e)
		return e;
	if (has_control(text, lines)) {
		*p->message = lines ? _("Remove the control characters.") : _("Use one line without control characters.");
		return ERR_FORMAT;
	}
	*p->value = json_object_new_string(text);
	return OK;
}

static enum err parse_password(struct parsing *p)
{
	enum err e = text_length(p, p->text, PASSWORD_MAX);

	if (!e)
		*p->value = json_object_new_string(p->text);
	return e;
}

/* Shape only: something@domain.tld without spaces. Whether it exists is proved by the mail that is sent there. */
static bool email_is_plausible(const char *s)
{
	const char *at = strrchr(s, '@');

	if (!at || at == s || strcspn(s, " \t\"<>(),:;\\[]") != strlen(s))
		return false;
	if (strchr(s, '@') != at || strstr(s, "..") || at[1] == '.' || at[1] == '-')
		return false;
	const char *dot = strrchr(at, '.');

	return dot && dot[1] && !has_control(s, false);
}

static enum err parse_email(struct parsing *p)
{
	const char *text = str_trim(p->mem, p->text);
	enum err e = text_length(p, text, EMAIL_MAX);

	if (e)
		return e;
	if (!email_is_plausible(text)) {
		*p->message = _("Write an email address like name@example.org.");
		return ERR_FORMAT;
	}
	*p->value = json_object_new_string(text);
	return OK;
}

static enum err parse_bool(struct parsing *p)
{
	static const char *const yes[] = { "true", "on", "1", "yes", NULL };
	static const char *const no[] = { "false", "off", "0", "no", NULL };

	for (int i = 0; yes[i]; i++) {
		if (str_eq(p->text, yes[i]))
			*p->value = json_object_new_boolean(true);
		if (str_eq(p->text, no[i]))
			*p->value = json_object_new_boolean(false);
	}
	if (*p->value)
		return OK;
	*p->message = _("This must be true or false.");
	return ERR_TYPE;
}

static enum err parse_int(struct parsing *p)
{
	int64_t n, max = p->f->max ? p->f->max : INT32_MAX;

	if (!str_to_int(p->text, INT64_MIN + 1, INT64_MAX, &n)) {
		*p->message = _("This must be a whole number.");
		return ERR_TYPE;
	}
	if (n < p->f->min || n > max) {
		*p->message = mem_printf(p->mem, _("Between %lld and %lld."), (long long)p->f->min,
			(long long)max);
		return ERR_RANGE;
	}
	*p->value = json_object_new_int64(n);
	return OK;
}

enum err field_parse_id(void *mem, const char *text, struct json_object **value,
	const char **message)
{
	char id[UUID_TEXT];

	(void)mem;
	if (!uuid_normalize(text, id)) {
		*message = _("This must be an id (a UUID).");
		return ERR_FORMAT;
	}
	*value = json_object_new_string(id);
	return OK;
}

static bool year_is_absurd(int year)
{
	return year < YEAR_MIN || year > YEAR_MAX;
}

static enum err fail_year(struct parsing *p)
{
	*p->message = mem_printf(p->mem, _("Between the years %d and %d."), YEAR_MIN, YEAR_MAX);
	return ERR_RANGE;
}

static enum err parse_instant(struct parsing *p)
{
	char text[ISO8601_MAX];
	int64_t us;

	if (!iso8601_parse(p->text, &us)) {
		*p->message = _("Write an instant like 2026-11-02T09:40:00Z.");
		return ERR_FORMAT;
	}
	if (year_is_absurd(date_from_days(us / 1000000 / 86400).year))
		return fail_year(p);
	iso8601_format(us, text);
	*p->value = json_object_new_string(text);
	return OK;
}

static enum err parse_date(struct parsing *p)
{
	char text[ISO8601_MAX];
	struct date d;

	if (!date_parse(p->text, &d)) {
		*p->message = _("Write a date like 2026-11-02.");
		return ERR_FORMAT;
	}
	if (year_is_absurd(d.year))
		return fail_year(p);
	date_format(d, text);
	*p->value = json_object_new_string(text);
	return OK;
}

static enum err parse_clock(struct parsing *p)
{
	char text[CLOCKTIME_TEXT];
	int32_t s;

	if (clocktime_parse(p->text, &s)) {
		*p->message = _("Write a time like 9:40 or 21:05.");
		return ERR_FORMAT;
	}
	clocktime_format_iso(s, text);
	*p->value = json_object_new_string(text);
	return OK;
}

enum err field_parse_seconds(void *mem, const struct field *f, int64_t seconds,
	struct json_object **value, const char **message)
{
	int64_t max = f->max ? f->max : 31 * 86400;

	if (seconds < f->min || seconds > max) {
		*message = mem_printf(mem, _("Between %lld and %lld seconds."), (long long)f->min,
			(long long)max);
		return ERR_RANGE;
	}
	*value = json_object_new_int64(seconds);
	return OK;
}

static enum err parse_duration(struct parsing *p)
{
	enum duration_style style = p->f->flags & F_HOURS ? DURATION_DECIMAL : p->style;
	int64_t s;

	if (duration_parse(p->text, style, &s)) {
		*p->message = _("Write a duration like 1:30, 1h 30m, 90m or 1.5.");
		return ERR_FORMAT;
	}
	return field_parse_seconds(p->mem, p->f, s, p->value, p->message);
}

static enum err parse_zone(struct parsing *p)
{
	if (!zone_is_valid(p->text))
		return ERR_ZONE_UNKNOWN;
	*p->value = json_object_new_string(p->text);
	return OK;
}

static enum err parse_choice(struct parsing *p)
{
	const char *list = "";

	for (int i = 0; p->f->choices[i]; i++) {
		if (str_eq(p->text, p->f->choices[i])) {
			*p->value = json_object_new_string(p->text);
			return OK;
		}
		list = mem_printf(p->mem, "%s%s%s", list, i ? ", " : "", p->f->choices[i]);
	}
	*p->message = mem_printf(p->mem, _("One of: %s."), list);
	return ERR_CHOICE;
}

static enum err parse_uuid(struct parsing *p)
{
	return field_parse_id(p->mem, p->text, p->value, p->message);
}

static const struct {
	const char *name;
	enum err (*parse)(struct parsing *p);
} types[] = {
	[FIELD_TEXT] = { N_("text"), parse_text },
	[FIELD_LONGTEXT] = { N_("text"), parse_text },
	[FIELD_PASSWORD] = { N_("text"), parse_password },
	[FIELD_EMAIL] = { N_("text"), parse_email },
	[FIELD_BOOL] = { N_("true or false"), parse_bool },
	[FIELD_INT] = { N_("a whole number"), parse_int },
	[FIELD_UUID] = { N_("text holding an id"), parse_uuid },
	[FIELD_UUIDS] = { N_("a list of ids"), parse_uuid },
	[FIELD_TEXTS] = { N_("a list of texts"), parse_text },
	[FIELD_INSTANT] = { N_("text holding an instant"), parse_instant },
	[FIELD_DATE] = { N_("text holding a date"), parse_date },
	[FIELD_CLOCK] = { N_("text holding a time of day"), parse_clock },
	[FIELD_DURATION] = { N_("seconds, or text holding a duration"), parse_duration },
	[FIELD_ZONE] = { N_("text holding a time zone"), parse_zone },
	[FIELD_CHOICE] = { N_("text"), parse_choice },
};

const char *field_type_name(enum field_type type)
{
	return _(types[type].name);
}

enum err field_parse(void *mem, const struct field *f, enum duration_style style, const char *text,
	struct json_object **value, const char **message)
{
	struct parsing p = { .mem = mem, .f = f, .style = style, .text = text, .value = value, .message = message };

	return types[f->type].parse(&p);
}
