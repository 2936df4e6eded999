#ifndef STINT_APP_PAGE_FORMS_H
#define STINT_APP_PAGE_FORMS_H
/*
 * The forms of a page: forms.<route>.values, .errors, .codes, .error, .failed for each write route that stands on it.
 * Values are what was typed when it failed, else the document's attribute of that name, else the field's default, else "".
 */
#include "app/call.h"
struct json_object *page_forms(struct call *c, const struct call *failed);
#endif
