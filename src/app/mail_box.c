/*
 * See mail_box.h. It undoes what view/mime.c does and is no reader of foreign mail: headers folded at blanks, encoded words in
 * base64, two parts that are 7bit or quoted-printable.
 */
#include "app/mail_box.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/iso8601.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"

#define MAIL_MAX (1024 * 1024)
#define MAILS_SHOWN 100

/* --- one mail */

static char *mail_read(const struct app *app, void *mem, const char *id)
{
	int fd = open(mem_printf(mem, "%s/%s.eml", app->conf->mail_dir, id), O_RDONLY | O_CLOEXEC);
	char *text;
	ssize_t n;

	if (fd < 0)
		return NULL;
	text = mem_zalloc(mem, MAIL_MAX + 1, "mail");
	n = read(fd, text, MAIL_MAX);
	close(fd);
	return n < 0 ? NULL : text;
}

/* "=?UTF-8?B?…?=": blanks between two of them say nothing. */
static const char *words_decode(void *mem, const char *text)
{
	struct buf out;
	const char *at;

	buf_init(&out, mem);
	while ((at = strstr(text, "=?UTF-8?B?")) != NULL) {
		const char *code = at + strlen("=?UTF-8?B?"), *end = strstr(code, "?=");
		size_t len = 0;
		unsigned char *bytes;

		if (!end)
			break;
		bytes = str_base64_decode(mem, mem_strndup(mem, code, (size_t)(end - code)), &len);
		if (!bytes)
			break;
		if (strspn(text, " ") < (size_t)(at - text) || !out.len)
			buf_add(&out, text, (size_t)(at - text));
		buf_add(&out, (const char *)bytes, len);
		text = end + 2;
	}
	buf_puts(&out, text);
	return out.data;
}

/* The value of the header at line, unfolded and decoded. */
static const char *value_at(void *mem, const char *line)
{
	struct buf out;

	buf_init(&out, mem);
	while (*line && (line[0] != '\r' || line[2] == ' ')) {
		if (line[0] != '\r')
			buf_putc(&out, *line);
		line += line[0] == '\r' ? 2 : 1;
	}
	return words_decode(mem, str_trim(mem, out.data));
}

static const char *header_of(void *mem, const char *text, const char *name)
{
	const char *at = str_starts(text, name) ? text : strstr(text, mem_printf(mem, "\r\n%s:", name));

	if (!at)
		return "";
	return value_at(mem, at + (at == text ? 0 : 2) + strlen(name) + 1);
}

static int hex_of(char c)
{
	const char *digits = "0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static const char *quoted_decode(void *mem, const char *text)
{
	struct buf out;

	buf_init(&out, mem);
	while (*text) {
		if (str_starts(text, "=\r\n")) {
			text += 3;
		} else if (*text == '=' && hex_of(text[1]) >= 0 && hex_of(text[2]) >= 0) {
			buf_putc(&out, (char)(hex_of(text[1]) * 16 + hex_of(text[2])));
			text += 3;
		} else {
			buf_putc(&out, *text++);
		}
	}
	return out.data;
}

/* The part of that type, decoded; "" when there is none. */
static const char *part_of(void *mem, const char *text, const char *type)
{
	const char *head = strstr(text, mem_printf(mem, "\r\nContent-Type: %s;", type));
	const char *body = head ? strstr(head, "\r\n\r\n") : NULL;
	const char *end = body ? strstr(body, "\r\n--=_") : NULL;

	if (!end)
		return "";
	head = mem_strndup(mem, head, (size_t)(body - head));
	body = mem_strndup(mem, body + 4, end > body + 4 ? (size_t)(end - body - 4) : 0);
	return strstr(head, "quoted-printable") ? quoted_decode(mem, body) : body;
}

/* --- as documents */

static void put(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, json_object_new_string(value));
}

static struct json_object *links_in(const char *text)
{
	struct json_object *links = json_object_new_array();

	for (const char *p = text; (p = strstr(p, "http")) != NULL;) {
		size_t len = strcspn(p, " \r\n<>");

		if (str_starts(p, "http://") || str_starts(p, "https://"))
			json_object_array_add(links, json_object_new_string_len(p, (int)len));
		p += len;
	}
	return links;
}

static struct json_object *headers_of(void *mem, const char *text)
{
	static const char *const shown[] = { "From", "To", "Reply-To", "Date", "Message-ID",
		"List-Unsubscribe", NULL };
	struct json_object *list = json_object_new_array();
	const char *end = strstr(text, "\r\n\r\n"), *head = mem_strndup(mem, text, end ? (size_t)(end - text) + 2 : 0);

	for (int i = 0; shown[i]; i++) {
		struct json_object *o = json_object_new_object();
		const char *value = header_of(mem, head, shown[i]);

		put(o, "name", shown[i]);
		put(o, "value", value);
		if (*value)
			json_object_array_add(list, o);
		else
			json_object_put(o);
	}
	return list;
}

static struct json_object *mail_doc(void *mem, const char *id, const char *text, bool whole)
{
	struct json_object *o = json_object_new_object();
	char at[ISO8601_MAX];
	int64_t ms = (int64_t)strtoull(mem_printf(mem, "%.8s%.4s", id, id + 9), NULL, 16);
	const char *body = whole ? part_of(mem, text, "text/plain") : "";

	iso8601_format(ms * 1000, at);
	put(o, "id", id);
	put(o, "to", header_of(mem, text, "To"));
	put(o, "subject", header_of(mem, text, "Subject"));
	put(o, "at", at);
	if (whole) {
		put(o, "text", body);
		json_object_object_add(o, "headers", headers_of(mem, text));
	}
	json_object_object_add(o, "links", links_in(body));
	return o;
}

/* --- the folder */

static int newest_first(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*b)->d_name, (*a)->d_name);
}

static int is_mail(const struct dirent *d)
{
	return d->d_name[0] != '.' && str_ends(d->d_name, ".eml") &&
		strlen(d->d_name) == UUID_TEXT - 1 + strlen(".eml");
}

static struct json_object *mail_list(const struct app *app, void *mem)
{
	struct json_object *list = json_object_new_array();
	struct dirent **found = NULL;
	int n = scandir(app->conf->mail_dir, &found, is_mail, newest_first);

	for (int i = 0; i < n; i++) {
		const char *id = mem_strndup(mem, found[i]->d_name, UUID_TEXT - 1);
		char *text = i < MAILS_SHOWN ? mail_read(app, mem, id) : NULL;

		if (text)
			json_object_array_add(list, mail_doc(mem, id, text, false));
		mem_free(text);
		free(found[i]);
	}
	free(found);
	return list;
}

enum err mail_box(const struct app *app, void *mem, const char *id, struct json_object **doc)
{
	char *text = id && uuid_is_valid(id) ? mail_read(app, mem, id) : NULL;

	if (id && !text)
		return ERR_NOT_FOUND;
	*doc = json_own(mem, json_object_new_object());
	json_object_object_add(*doc, "mails", mail_list(app, mem));
	json_object_object_add(*doc, "mail", text ? mail_doc(mem, id, text, true) : NULL);
	return OK;
}

enum err mail_box_html(const struct app *app, void *mem, const char *id, const char **html)
{
	const char *text = uuid_is_valid(id) ? mail_read(app, mem, id) : NULL;

	if (!text)
		return ERR_NOT_FOUND;
	*html = part_of(mem, text, "text/html");
	return OK;
}
