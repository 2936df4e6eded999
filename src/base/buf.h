#ifndef STINT_BASE_BUF_H
#define STINT_BASE_BUF_H
/* A growing byte buffer below a talloc context; always NUL-terminated behind len. */
#include <stdarg.h>
#include <stddef.h>

struct buf {
	void *mem;
	char *data; /* never NULL after buf_init; data[len] == 0 */
	size_t len, cap;
};

void buf_init(struct buf *b, void *mem);
void buf_reset(struct buf *b);
void buf_add(struct buf *b, const char *data, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_html(struct buf *b, const char *s, size_t len);      /* & < > " ' escaped */
void buf_json_str(struct buf *b, const char *s, size_t len);  /* quoted and escaped; also escapes '/' after '<' */
void buf_url(struct buf *b, const char *s, size_t len);       /* percent-encodes all but A-Za-z0-9-_.~ */

#endif
