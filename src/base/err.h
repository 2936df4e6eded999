#ifndef STINT_BASE_ERR_H
#define STINT_BASE_ERR_H
/*
 * Errors as values. OK is 0, so `if (e)` reads as "if it failed". What a person or a program is told
 * about each stands in errors.def; the constraint names of the schema map to them there too.
 */
enum err {
	OK = 0,
#define ERR(name, status, code, title, detail) ERR_##name,
#define CONSTRAINT(constraint, name, field)
#include "base/errors.def"
#undef ERR
#undef CONSTRAINT
	ERR_COUNT
};

/* What is said of one error. Borrowed, static, untranslated (gettext msgids). */
struct err_info {
	int status;         /* HTTP */
	const char *code;   /* for programs */
	const char *title;  /* the kind of thing that happened */
	const char *detail; /* what to do */
};

const struct err_info *err_info(enum err e);

/* The error with this code, as SQL raises it; ERR_INTERNAL when there is none. */
enum err err_by_code(const char *code);

/* The error for a violated constraint; *field gets the field to blame or NULL. ERR_INTERNAL when unmapped. */
enum err err_by_constraint(const char *constraint, const char **field);

#endif
