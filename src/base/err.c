/*
 * errors.def turned into tables. Nothing is decided here: what a failure is called and what people are told
 * stands in the one list.
 */
#include "base/err.h"

#include "base/str.h"

#define N_(text) text /* for the extraction of strings; translated where it is shown */

static const struct err_info infos[ERR_COUNT] = {
	[OK] = { .status = 200, .code = "ok", .title = "OK", .detail = "" },
#define ERR(name, http, text_code, text_title, text_detail) \
	[ERR_##name] = { .status = (http), .code = (text_code), .title = text_title, .detail = text_detail },
#define CONSTRAINT(constraint, name, field)
#include "base/errors.def"
#undef ERR
#undef CONSTRAINT
};

static const struct {
	const char *constraint;
	enum err err;
	const char *field;
} constraints[] = {
#define ERR(name, http, text_code, text_title, text_detail)
#define CONSTRAINT(text, name, blamed) { .constraint = (text), .err = ERR_##name, .field = (blamed) },
#include "base/errors.def"
#undef ERR
#undef CONSTRAINT
	{ .constraint = NULL },
};

const struct err_info *err_info(enum err e)
{
	return &infos[(unsigned int)e < ERR_COUNT ? e : ERR_INTERNAL];
}

enum err err_by_code(const char *code)
{
	if (!code)
		return ERR_INTERNAL;
	for (int e = OK + 1; e < ERR_COUNT; e++)
		if (str_eq(infos[e].code, code))
			return (enum err)e;
	return ERR_INTERNAL;
}

enum err err_by_constraint(const char *constraint, const char **field)
{
	*field = NULL;
	if (!constraint)
		return ERR_INTERNAL;
	for (int i = 0; constraints[i].constraint; i++) {
		if (!str_eq(constraints[i].constraint, constraint))
			continue;
		*field = constraints[i].field;
		return constraints[i].err;
	}
	return ERR_INTERNAL;
}
