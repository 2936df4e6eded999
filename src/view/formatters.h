#ifndef STINT_VIEW_FORMATTERS_H
#define STINT_VIEW_FORMATTERS_H
/*
 * What may stand behind a pipe. A formatter gets a value and arguments and writes text, which is
 * escaped afterwards; only those marked .markup write HTML and answer for escaping themselves. That
 * list is closed: selected, checked and the charts.
 */
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "view/template.h"
#include "view/value.h"

struct render;

/* One use of a formatter. */
struct format {
	const struct view_env *env;
	const struct views *views;
	struct render *render; /* for names inside texts */
	void *mem; /* of this page */
	struct value in;
	struct value args[TEMPLATE_ARGS_MAX];
	int nargs;
	struct buf *out;
	const char *why; /* set when it returns false */
};

struct formatter {
	const char *name;
	bool (*fn)(struct format *f);
	int least, most; /* arguments */
	bool markup;
	const char *text; /* for people who write templates */
};

/* NULL when there is none. */
const struct formatter *formatter_find(const char *name, size_t len);
/* All of them, sorted; ends with name NULL. */
const struct formatter *formatters_all(void);

/* "wants seconds, not \"x\"": an error in strict mode; elsewhere the value is printed as it is. */
bool format_refuse(struct format *f, const char *wants);
const char *format_arg(struct format *f, int i); /* as text; "" when it is not there */

/*
 * {name} and {name|formatter} in text, filled from the page's documents; n, when not NULL, fills
 * {n}.
 */
bool format_fill(struct format *f, const char *text, const char *n);

/* render.c: what a name stands for at this place. false: there is no such name. */
bool render_lookup(struct render *r, const struct operand *name, struct value *out);
bool render_is_strict(const struct render *r);

/* format_time.c */
bool format_duration(struct format *f);
bool format_clock(struct format *f);
bool format_hours(struct format *f);
bool format_time(struct format *f);
bool format_date(struct format *f);
bool format_datetime(struct format *f);
bool format_day(struct format *f);
bool format_long_date(struct format *f);
bool format_weekday(struct format *f);
bool format_month(struct format *f);
bool format_instant_iso(struct format *f);
bool format_iso_date(struct format *f);
bool format_ago(struct format *f);

/* charts.c */
bool chart_bars(struct format *f);
bool chart_timeline(struct format *f);
bool chart_ranked(struct format *f);

/* Shared with the charts: the person's own style. */
void put_duration(struct format *f, struct buf *out, int64_t seconds);
void put_date(struct format *f, struct buf *out, int year, int month, int day);
const char *weekday_short(int year, int month, int day);
void put_clock_time(struct format *f, struct buf *out, int second_of_day);

#endif
