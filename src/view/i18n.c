/*
 * The language of the moment. gettext takes it from $LANGUAGE as long as the locale is any but
 * plain "C", so no locales have to be installed: C.UTF-8 is always there. It looks again only when
 * _nl_msg_cat_cntr moved.
 */
#include "view/i18n.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define LANGUAGE_MAX 32

extern int _nl_msg_cat_cntr; /* glibc: "the catalogues may have changed" */

static char current[LANGUAGE_MAX];

void i18n_init(const char *locale_dir)
{
	if (!setlocale(LC_ALL, "C.UTF-8"))
		log_warn("the locale C.UTF-8 is missing: all pages will be English", NULL);
	bindtextdomain("stint", locale_dir);
	bind_textdomain_codeset("stint", "UTF-8");
	textdomain("stint");
	current[0] = '\0';
	i18n_use("en");
}

/* Comes from a database, goes into the name of a file. */
static int is_plain(const char *language)
{
	return strlen(language) < LANGUAGE_MAX &&
		strspn(language,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-@") ==
		strlen(language);
}

void i18n_use(const char *language)
{
	if (!language || !*language || !is_plain(language))
		language = "en";
	if (!strcmp(language, current))
		return;
	memcpy(current, language, strlen(language) + 1);
	setenv("LANGUAGE", language, 1);
	_nl_msg_cat_cntr++;
}
