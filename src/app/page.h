#ifndef STINT_APP_PAGE_H
#define STINT_APP_PAGE_H
/*
 * A document as a page: the route's template over one root object with frame, doc, forms and what the layout needs.
 * A POST that failed shows its page again (route->on) with what was typed and a message beside each field.
 */
#include "app/call.h"

void page_show(struct call *c, const struct call *failed); /* failed: the POST whose input is kept, or NULL */
void page_error(struct call *c);
void page_redirect(struct call *c, const char *path);
/* After a page's POST: to return_to or route->then, with the words of route->done. */
void page_after(struct call *c);
/* Path on this site, or NULL: what return_to and next may name. */
const char *page_local_path(const char *path);
#endif
