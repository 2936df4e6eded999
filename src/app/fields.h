#ifndef STINT_APP_FIELDS_H
#define STINT_APP_FIELDS_H
/*
 * What a route accepts. Undeclared input never reaches a query: JSON bodies, forms and query strings are read
 * against the declared fields alone; every error is collected, and what came in is kept for the form.
 */
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "domain/duration.h"
#include "http/request.h"

enum field_type {
	FIELD_TEXT,     /* one line, trimmed, control characters refused; min/max in characters */
	FIELD_LONGTEXT, /* several lines */
	FIELD_PASSWORD, /* kept as it is, never given back */
	FIELD_EMAIL,    /* trimmed; shape checked; at most 254 */
	FIELD_BOOL,
	FIELD_INT, /* min … max */
	FIELD_UUID,
	FIELD_UUIDS,    /* JSON array, or a form field sent several times; at most max */
	FIELD_TEXTS,    /* the same of single lines of at most 100 characters */
	FIELD_INSTANT,  /* RFC 3339 */
	FIELD_DATE,     /* YYYY-MM-DD */
	FIELD_CLOCK,    /* "9:40", "940", "9.40 pm" from people -> HH:MM:SS */
	FIELD_DURATION, /* whole seconds, or from people "1:30", "1h 30m", "90m", "1.5" -> seconds; "90" by struct input */
	FIELD_ZONE,     /* IANA name the system knows */
	FIELD_CHOICE,   /* one of choices */
};

enum field_flags {
	F_REQUIRED = 1, /* must be there and not empty */
	F_NULL = 2,     /* null (JSON) or empty (form) means null */
	F_PAGE = 4,     /* forms alone know it */
	F_API = 8,      /* programs alone know it */
	F_PATCH = 16,   /* with F_REQUIRED: may be absent (it then stays), but not empty */
	F_HOURS = 32,   /* FIELD_DURATION: a bare number is hours, whoever types it */
};

struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	int64_t min, max;           /* meaning by type; max 0: the type's own limit */
	const char *const *choices; /* NULL-terminated */
	const char *dflt;           /* used when absent on a create or in a query string; text form */
	const char *text;           /* one line for the OpenAPI document */
};

struct field_error {
	const char *field;
	enum err err;
	const char *message; /* translated, says what to do */
};

struct input {
	/* What a bare number is as a duration. Programs have one answer, minutes; a form says how its page wrote durations, since that is
	 * what the person was looking at. */
	enum duration_style durations;
	const char *where;          /* of a body that could not be read: what and where, for people */
	struct json_object *values; /* validated, typed; only what was sent (and defaults) */
	struct pairs raw;           /* what came in, as text, for the form; passwords left out */
	struct field_error *errors;
	int nerrors;
};

/* fields end with name NULL. */
enum err fields_from_json(struct request *rq, const struct field *fields, struct input *in);
enum err fields_from_form(struct request *rq, const struct field *fields, const struct pairs *sent, bool page, struct input *in);
void fields_defaults(struct request *rq, const struct field *fields, struct input *in);
bool field_is_list(const struct field *f);
void input_error(struct request *rq, struct input *in, const char *field, enum err e, const char *message);

#endif
