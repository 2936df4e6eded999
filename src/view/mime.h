#ifndef STINT_VIEW_MIME_H
#define STINT_VIEW_MIME_H
/*
 * Text as mail carries it: RFC 5322 lines, RFC 2047 words, RFC 2045 quoted-printable. Everything written is ASCII in lines
 * of at most 78 columns where it can be broken at all, ending with CRLF. Control characters become blanks, so a value can neither
 * end its header nor begin another.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* A bare address that may stand in a header and in an envelope: one @, no blanks, brackets, quotes or commas. */
bool mime_is_address(const char *s);
/* "Subject: …\r\n", folded; text is UTF-8. */
void mime_text(struct buf *out, const char *name, const char *text);
/* "To: Name <address>\r\n"; display may be NULL or "". Address has been checked. */
void mime_address(struct buf *out, const char *name, const char *display, const char *address);
/* "Name: value\r\n" for what must not be encoded: ASCII without blanks or control characters, checked by who calls. */
void mime_raw(struct buf *out, const char *name, const char *value);
/* A part: its own headers, an empty line, and text (lines end with '\n') as 7bit where it can be, else quoted-printable. */
void mime_part(struct buf *out, const char *type, const char *text);
#endif
