/*
 * One mail, for mail_compose.py: the letter as JSON on stdin, its bytes on stdout; 1 and why on stderr when there is none.
 *
 * usage: mail-compose TEMPLATES <LETTER | mail-compose --text <MARKUP
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "view/i18n.h"
#include "view/mail_compose.h"
#include "view/mail_text.h"

static const char *all_of_stdin(void *mem)
{
	struct buf in;
	char block[4096];
	size_t n;

	buf_init(&in, mem);
	while ((n = fread(block, 1, sizeof block, stdin)) > 0)
		buf_add(&in, block, n);
	return in.data;
}

static int refuse(const char *why)
{
	fprintf(stderr, "%s\n", why);
	return 1;
}

static int compose(void *mem, const char *folder)
{
	const char *why = NULL, *text = all_of_stdin(mem);
	struct views *views = views_load(mem, folder, NULL, true, &why);
	struct json_object *in = NULL, *doc = NULL;
	struct view_env env = { .zone = "Europe/Berlin", .language = "en" };
	struct mail_bytes mail;

	if (!views || json_parse(mem, text, strlen(text), &in, &why) || !in)
		return refuse(why ? why : "no letter");
	json_object_object_get_ex(in, "doc", &doc);
	const struct mail_letter letter = {
		.template_name = json_str(in, "template"),
		.doc = doc,
		.env = &env,
		.to = json_str(in, "to"),
		.to_name = json_str(in, "to_name"),
		.from = json_str(in, "from"),
		.from_name = json_str(in, "from_name"),
		.reply_to = json_str(in, "reply_to"),
		.unsubscribe_url = json_str(in, "unsubscribe_url"),
		.public_url = json_str(in, "public_url"),
		.id = json_str(in, "id"),
		.date_us = 1772366399LL * 1000000,
	};

	if (!mail_compose(mem, views, &letter, &mail, &why))
		return refuse(why);
	fwrite(mail.data, 1, mail.len, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	void *mem = mem_root("mail-compose");
	int status = 0;

	i18n_init("/nowhere");
	if (argc == 2 && str_eq(argv[1], "--text"))
		fputs(mail_text(mem, all_of_stdin(mem)), stdout);
	else if (argc == 2)
		status = compose(mem, argv[1]);
	mem_free(mem);
	return status;
}
