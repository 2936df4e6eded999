#ifndef STINT_VIEW_I18N_H
#define STINT_VIEW_I18N_H
/*
 * Strings for people, by gettext. English stands in the sources and is complete without a
 * catalogue. A worker serves one person after the other: i18n_use() says whose language comes next,
 * and costs nothing when it stays the same.
 */
#include <libintl.h>

#define _(text) gettext(text)
#ifndef N_
#define N_(text) text
#endif

/* Once, before forking. The catalogues are LOCALE_DIR/<language>/LC_MESSAGES/stint.mo. */
void i18n_init(const char *locale_dir);
/* "de", "pt_BR"; NULL, "" and what no catalogue is there for mean English. */
void i18n_use(const char *language);

#endif
