/* See mail.h. Files are named by UUIDv7, so the folder sorts by time; a dot file is renamed when it is whole. */
#include "app/mail.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/iso8601.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"

#define MAIL_MAX (256 * 1024)
#define MAILS_SHOWN 100

static bool write_whole(const char *dir, const char *name, const struct buf *text, void *mem)
{
	const char *draft = mem_printf(mem, "%s/.%s", dir, name);
	int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text->data, text->len) == (ssize_t)text->len && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	if (ok)
		ok = rename(draft, mem_printf(mem, "%s/%s", dir, name)) == 0;
	if (!ok)
		unlink(draft);
	return ok;
}

static void put_head(struct buf *out, const struct app *app, const char *to, const char *id)
{
	char date[64];
	time_t now = (time_t)(clock_now_us() / 1000000);
	struct tm tm;

	gmtime_r(&now, &tm);
	if (!strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm))
		date[0] = 0;
	buf_printf(out, "From: %s\r\nTo: %s\r\nDate: %s\r\nMessage-ID: <%s@stint>\r\n",
		app->conf->mail_from, to, date, id);
	buf_puts(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		      "Content-Transfer-Encoding: 8bit\r\n");
}

/* The template's text begins with its Subject line; lines end as mail wants them. */
static void put_text(struct buf *out, const char *text)
{
	const char *line_end = strchr(text, '\n');

	if (line_end)
		buf_add(out, text, (size_t)(line_end - text));
	buf_puts(out, "\r\n\r\n");
	for (const char *p = line_end ? line_end + 1 : text; *p; p++) {
		if (*p == '\n')
			buf_putc(out, '\r');
		buf_putc(out, *p);
	}
}

enum err mail_send(struct app *app, void *mem, const char *to, const char *template_name,
	struct json_object *doc)
{
	const struct view_env env = { .zone = "UTC", .language = "en", .now_us = clock_now_us() };
	char id[UUID_TEXT];
	const char *why = NULL;
	struct buf text, out;

	uuid_v7(id);
	buf_init(&text, mem);
	buf_init(&out, mem);
	if (!view_render(app->views, template_name, &env, &doc, 1, &text, &why)) {
		log_error("mail not rendered", "template", template_name, "why", why, NULL);
		return ERR_INTERNAL;
	}
	put_head(&out, app, to, id);
	put_text(&out, text.data);
	if (!write_whole(app->conf->mail_dir, mem_printf(mem, "%s.eml", id), &out, mem)) {
		log_error("mail not written", "dir", app->conf->mail_dir, NULL);
		return ERR_UNAVAILABLE;
	}
	return OK;
}

static const char *header_of(void *mem, const char *text, const char *name)
{
	const char *at = strstr(text, mem_printf(mem, "%s: ", name));
	const char *end = at ? strpbrk(at, "\r\n") : NULL;

	if (!end)
		return "";
	at += strlen(name) + 2;
	return mem_strndup(mem, at, (size_t)(end - at));
}

static char *mail_read(struct app *app, void *mem, const char *id)
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

static void put(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, json_object_new_string(value));
}

static struct json_object *mail_doc(void *mem, const char *id, const char *text, bool whole)
{
	const char *body = strstr(text, "\r\n\r\n");
	struct json_object *o = json_object_new_object(), *links = json_object_new_array();
	char at[ISO8601_MAX];
	int64_t ms = (int64_t)strtoull(mem_printf(mem, "%.8s%.4s", id, id + 9), NULL, 16);

	iso8601_format(ms * 1000, at);
	put(o, "id", id);
	put(o, "to", header_of(mem, text, "To"));
	put(o, "subject", header_of(mem, text, "Subject"));
	put(o, "at", at);
	if (whole) {
		put(o, "text", body ? body + 4 : "");
		for (const char *p = body; p && (p = strstr(p, "http")) != NULL;) {
			size_t len = strcspn(p, " \r\n");

			json_object_array_add(links, json_object_new_string_len(p, (int)len));
			p += len;
		}
	}
	json_object_object_add(o, "links", links);
	return o;
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*b)->d_name, (*a)->d_name);
}

static int is_mail(const struct dirent *d)
{
	return d->d_name[0] != '.' && str_ends(d->d_name, ".eml") &&
		strlen(d->d_name) == UUID_TEXT - 1 + strlen(".eml");
}

static struct json_object *mail_list(struct app *app, void *mem)
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

enum err mail_box(struct app *app, void *mem, const char *id, struct json_object **doc)
{
	char *text = id ? mail_read(app, mem, id) : NULL;

	if (id && !text)
		return ERR_NOT_FOUND;
	*doc = json_own(mem, json_object_new_object());
	json_object_object_add(*doc, "mails", mail_list(app, mem));
	json_object_object_add(*doc, "mail", text ? mail_doc(mem, id, text, true) : NULL);
	return OK;
}
