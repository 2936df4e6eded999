#ifndef STINT_BASE_CONF_H
#define STINT_BASE_CONF_H
/*
 * Configuration: one file of `key = value` lines (# comments), each overridden by the environment
 * variable STINT_<KEY>. Every option stands in conf.def with type, range, default and text; an
 * unknown key, a value out of range or a missing required one stops the start with file, line and remedy.
 * A secret may be given as `key_file` / STINT_<KEY>_FILE naming a file, or come from
 * $CREDENTIALS_DIRECTORY/<key>. Secrets have no default, and a known sample value is refused;
 * with least length 0 it is somebody else's (a password given to us): it may be missing, is "" then, and is not judged.
 *
 * conf.def rows: CONF_TEXT(key, default, text)  CONF_INT(key, default, min, max, text)
 *                CONF_BOOL(key, default, text)  CONF_SECRET(key, min_length, text)
 *                CONF_CHOICE(key, default, "one|of|these", text)
 */
#include <stdbool.h>
#include <stdint.h>

struct conf {
#define CONF_TEXT(key, dflt, text) const char *key;
#define CONF_CHOICE(key, dflt, choices, text) const char *key;
#define CONF_SECRET(key, least, text) const char *key;
#define CONF_INT(key, dflt, min, max, text) int64_t key;
#define CONF_BOOL(key, dflt, text) bool key;
#include "base/conf.def"
#undef CONF_TEXT
#undef CONF_CHOICE
#undef CONF_SECRET
#undef CONF_INT
#undef CONF_BOOL
};

/* Reads file (NULL: $STINT_CONF, else /etc/stint/stint.conf if it is there). On failure NULL, *why says file, line, key and remedy. */
const struct conf *conf_load(void *mem, const char *file, const char **why);
/* The same without the secrets that must be set (secret_key stays NULL): for a program that seals nothing and should not be
 * able to lose the key. Passwords that may be set are read. */
const struct conf *conf_load_open(void *mem, const char *file, const char **why);
/* The table as text for people: key, type, default, range, what it is for. Below mem. */
char *conf_help(void *mem);

#endif
