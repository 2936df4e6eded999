/*
 * Names of time zones, asked of the system's tzdata: it is what PostgreSQL computes with, it is kept up to date by
 * the distribution, and a list of our own would be wrong within months.
 *
 * A name comes from outside and becomes a path, so its characters are judged first: no dot can occur, so none
 * climbs out.
 */
#include "domain/zones.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define ZONES_DIR "/usr/share/zoneinfo/"
#define LINE_MAX_BYTES 512

static bool clean_name(const char *name)
{
	size_t len = strnlen(name, ZONE_MAX);
	char before = '/';

	if (!len || len >= ZONE_MAX || name[len - 1] == '/')
		return false;
	for (const char *c = name; *c; c++) {
		bool letter = (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z');
		bool inner = (*c >= '0' && *c <= '9') || *c == '_' || *c == '-' || *c == '+' || *c == '/';

		/* Every part begins with a letter. */
		if (!letter && (before == '/' || !inner))
			return false;
		before = *c;
	}
	return true;
}

/* What lies in tzdata's folder without being a place: copies with other leap seconds, the machine's own setting. */
static bool is_machinery(const char *name)
{
	return str_starts(name, "posix/") || str_starts(name, "right/") || str_eq(name, "localtime") ||
		str_eq(name, "posixrules") || str_eq(name, "Factory");
}

bool zone_is_valid(const char *name)
{
	char path[sizeof(ZONES_DIR) + ZONE_MAX] = ZONES_DIR;
	char magic[4];
	struct stat st;
	bool valid;
	int fd;

	if (!name || !clean_name(name) || is_machinery(name))
		return false;
	memcpy(path + sizeof(ZONES_DIR) - 1, name, strlen(name) + 1);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	valid = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic) && memcmp(magic, "TZif", 4) == 0;
	close(fd);
	return valid;
}

struct zone_names {
	void *mem;
	const char **names;
	size_t count;
};

static void add_name(struct zone_names *z, const char *name)
{
	if (!zone_is_valid(name))
		return;
	z->names = mem_grow(z->mem, z->names, const char *, z->count + 2);
	z->names[z->count++] = mem_strdup(z->names, name);
	z->names[z->count] = NULL;
}

/* Lines of "codes <tab> coordinates <tab> name [<tab> comment]". */
static bool add_table(struct zone_names *z, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[LINE_MAX_BYTES];

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		char *name = line[0] == '#' ? NULL : strchr(line, '\t');

		name = name ? strchr(name + 1, '\t') : NULL;
		if (!name)
			continue;
		name[1 + strcspn(name + 1, "\t\n")] = '\0';
		add_name(z, name + 1);
	}
	fclose(file);
	return z->count > 0;
}

static int name_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* zone.tab has a name in every country; zone1970.tab merges those whose clocks agreed since 1970. */
const char *const *zones_list(void *mem, size_t *count)
{
	struct zone_names z = { .mem = mem };

	if (!add_table(&z, ZONES_DIR "zone.tab"))
		add_table(&z, ZONES_DIR "zone1970.tab");
	add_name(&z, "UTC");
	if (!z.names)
		z.names = mem_array(mem, const char *, 1);
	qsort(z.names, z.count, sizeof(*z.names), name_order);
	*count = z.count;
	return z.names;
}
