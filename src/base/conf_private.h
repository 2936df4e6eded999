#ifndef STINT_BASE_CONF_PRIVATE_H
#define STINT_BASE_CONF_PRIVATE_H
/* Between conf.c, conf_file.c and conf_secret.c alone. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One `key = value` of the file. */
struct conf_line {
	const char *key;
	const char *value;
	int number;
};

struct conf_file {
	const char *path; /* NULL when there is none */
	mode_t mode;
	struct conf_line *lines;
	size_t count;
};

/* All of a small file; NULL and *why (what, without remedy) when it cannot be read. */
char *conf_read(void *mem, const char *path, size_t max, size_t *len, mode_t *mode, const char **why);
/* The file's lines. false, *why with file, line and remedy. */
bool conf_file_read(void *mem, const char *path, struct conf_file *file, const char **why);
/* The line that sets key, or NULL. */
const struct conf_line *conf_file_find(const struct conf_file *file, const char *key);

/* NULL when value may be a secret of at least so many characters; otherwise what is wrong with it, never the value. */
const char *conf_secret_fault(void *mem, const char *value, size_t least);

#endif
