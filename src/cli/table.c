/* See table.h. Widths are counted in characters; whatever would break a line or speak to the terminal is shown as a space. */
#include "cli/table.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

enum { COLUMNS_MOST = 16 };

static const char *plain(void *mem, const char *text, int most)
{
	char *out = mem_strdup(mem, text);
	size_t at = 0;
	int n = 0;

	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	while (most > 0 && out[at]) {
		size_t one = str_utf8_one(out + at, strlen(out + at));

		if (++n == most && out[at + (one ? one : 1)])
			return mem_printf(mem, "%.*s…", (int)at, out);
		at += one ? one : 1;
	}
	return out;
}

static const char *list_text(void *mem, struct json_object *list)
{
	struct buf out;

	buf_init(&out, mem);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (i)
			buf_putc(&out, ',');
		buf_puts(&out, json_object_get_string(json_object_array_get_idx(list, i)));
	}
	return out.data;
}

static const char *cell(void *mem, struct json_object *object, const struct column *col)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, col->key, &value) || !value)
		return "-";
	if (json_object_is_type(value, json_type_boolean))
		return json_object_get_boolean(value) ? "yes" : "no";
	if (json_object_is_type(value, json_type_array))
		return plain(mem, list_text(mem, value), col->most);
	return plain(mem, json_object_get_string(value), col->most);
}

static void print_cell(const char *text, size_t width, bool right, bool last)
{
	int gap = (int)(width - str_length(text));

	if (right)
		printf("%*s%s", gap, "", text);
	else
		printf("%s%*s", text, last ? 0 : gap, "");
	fputs(last ? "\n" : "  ", stdout);
}

void table_print(void *mem, struct json_object *list, const struct column *columns, const char *none)
{
	size_t rows = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0, width[COLUMNS_MOST];
	int n = 0;

	if (!rows) {
		puts(none);
		return;
	}
	for (; n < COLUMNS_MOST && columns[n].key; n++) {
		width[n] = str_length(columns[n].title);
		for (size_t i = 0; i < rows; i++) {
			size_t len = str_length(cell(mem, json_object_array_get_idx(list, i), &columns[n]));

			width[n] = len > width[n] ? len : width[n];
		}
	}
	for (int c = 0; c < n; c++)
		print_cell(columns[c].title, width[c], columns[c].right, c == n - 1);
	for (size_t i = 0; i < rows; i++)
		for (int c = 0; c < n; c++)
			print_cell(cell(mem, json_object_array_get_idx(list, i), &columns[c]), width[c], columns[c].right, c == n - 1);
}

void table_print_object(void *mem, struct json_object *object)
{
	size_t width = 0;

	json_object_object_foreach(object, name, unused)
	{
		(void)unused;
		width = strlen(name) > width ? strlen(name) : width;
	}
	json_object_object_foreach(object, key, value)
	{
		const int pretty = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;
		const struct column col = { .key = key };
		bool deep = json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array);

		printf("%-*s  %s\n", (int)width, key, deep ? json_object_to_json_string_ext(value, pretty) : cell(mem, object, &col));
	}
}
