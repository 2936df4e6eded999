/* One SQL file as a whole: demo data, or what an operator has on disk. */
#include "db/migrate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "db/embed.h"
#include "db/script.h"

enum { FILE_MAX = 64 * 1024 * 1024 };

static const char *embedded_text(const char *name)
{
	for (int i = 0; i < embedded_file_count; i++)
		if (str_eq(embedded_files[i].name, name))
			return embedded_files[i].text;
	return NULL;
}

static const char *disk_text(void *mem, const char *path)
{
	FILE *in = fopen(path, "re");
	struct buf text;
	char block[65536];
	size_t n;
	bool ok;

	if (!in) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return NULL;
	}
	buf_init(&text, mem);
	while ((n = fread(block, 1, sizeof(block), in)) > 0 && text.len <= FILE_MAX)
		buf_add(&text, block, n);
	ok = !ferror(in) && text.len <= FILE_MAX && str_is_utf8(text.data, text.len);
	fclose(in);
	if (!ok)
		fprintf(stderr, "%s: cannot be read, is over 64 MiB, or is no UTF-8\n", path);
	return ok ? text.data : NULL;
}

int sql_file_run(const char *conninfo, const char *path)
{
	void *mem = talloc_named_const(NULL, 0, "sql file");
	const char *text = embedded_text(path);
	struct script *s = NULL;
	bool ok;

	if (!text)
		text = disk_text(mem, path);
	if (text)
		s = script_open(mem, conninfo);
	ok = s && script_run(s, path, "BEGIN; SET LOCAL lock_timeout = '5s'") &&
		script_run(s, path, text);
	if (ok && PQtransactionStatus(s->conn) != PQTRANS_INTRANS) {
		fprintf(stderr,
			"%s ends its transaction itself.\n"
			"Files must hold neither BEGIN nor COMMIT.\n",
			path);
		ok = false;
	}
	ok = ok && script_run(s, path, "COMMIT");
	mem_free(mem);
	return ok ? 0 : 1;
}
