/*
 * The syntax of the configuration file: lines of `key = value`. A value is the rest of the line as it stands, so
 * that connection strings and keys need no quoting; a comment therefore has a line of its own.
 *
 * What keys there are and what they may hold is conf.c's.
 */
#include "base/conf_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define FILE_MAX ((size_t)64 * 1024)

static char *read_all(void *mem, int fd, size_t max, size_t *len, const char **why)
{
	char *text = mem_array(mem, char, max + 2);
	ssize_t n;

	*len = 0;
	while (*len <= max && (n = read(fd, text + *len, max + 1 - *len)) != 0) {
		if (n > 0) {
			*len += (size_t)n;
		} else if (errno != EINTR) {
			*why = mem_printf(mem, "cannot be read: %s", strerror(errno));
			return NULL;
		}
	}
	if (*len > max)
		*why = mem_printf(mem, "is larger than %zu bytes", max);
	else if (!str_is_utf8(text, *len))
		*why = "is not UTF-8 text";
	else
		return text;
	return NULL;
}

char *conf_read(void *mem, const char *path, size_t max, size_t *len, mode_t *mode, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st) != 0) {
		*why = mem_printf(mem, "cannot be opened: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	*mode = S_ISREG(st.st_mode) ? st.st_mode : 0;
	text = read_all(mem, fd, max, len, why);
	close(fd);
	return text;
}

const struct conf_line *conf_file_find(const struct conf_file *file, const char *key)
{
	for (size_t i = 0; i < file->count; i++)
		if (str_eq(file->lines[i].key, key))
			return &file->lines[i];
	return NULL;
}

static bool add_line(void *mem, struct conf_file *file, const char *text, int number, const char **why)
{
	const char *line = str_trim(mem, text);
	const char *equals = strchr(line, '=');
	struct conf_line new = { .number = number };
	const struct conf_line *before;

	if (!*line || *line == '#')
		return true;
	if (!equals || equals == line) {
		*why = mem_printf(mem, "%s:%d: expected \"key = value\"; a comment begins with # and has its own line",
			file->path, number);
		return false;
	}
	new.key = str_trim(mem, mem_strndup(mem, line, (size_t)(equals - line)));
	new.value = str_trim(mem, equals + 1);
	before = conf_file_find(file, new.key);
	if (before) {
		*why = mem_printf(mem, "%s:%d: %s: already set in line %d. Remove one of them", file->path,
			number, new.key, before->number);
		return false;
	}
	file->lines = mem_grow(mem, file->lines, struct conf_line, file->count + 1);
	file->lines[file->count++] = new;
	return true;
}

bool conf_file_read(void *mem, const char *path, struct conf_file *file, const char **why)
{
	const char *fault = "cannot be read";
	size_t len;
	char *at = conf_read(mem, path, FILE_MAX, &len, &file->mode, &fault);
	int number = 0;

	file->path = path;
	if (!at) {
		*why = mem_printf(mem, "%s: %s. Check the path and who may read it", path, fault);
		return false;
	}
	for (char *next; at; at = next) {
		next = strchr(at, '\n');
		if (next)
			*next++ = '\0';
		if (!add_line(mem, file, at, ++number, why))
			return false;
	}
	return true;
}
