#ifndef STINT_BASE_STR_H
#define STINT_BASE_STR_H
/* Text: NUL-terminated UTF-8 everywhere inside; what comes from outside is checked here first. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool str_eq(const char *a, const char *b);           /* NULL equals only NULL */
bool str_eq_nocase(const char *a, const char *b);    /* ASCII */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_is_utf8(const char *s, size_t len);         /* valid, shortest form, no surrogates, no NUL */
size_t str_utf8_one(const char *s, size_t len);      /* bytes of the code point s begins with; 0 when it is none, or NUL */
size_t str_length(const char *s);                    /* in code points; s is valid UTF-8 */
char *str_trim(void *mem, const char *s);            /* without white space at both ends: Unicode's, and what has no width */
bool str_to_int(const char *s, int64_t min, int64_t max, int64_t *out); /* whole string, decimal, optional '-' */
/* Percent- and (if plus) '+'-decoding. NULL for a bad escape, %00 or invalid UTF-8. */
char *str_url_decode(void *mem, const char *s, size_t len, bool plus);
char *str_base64url(void *mem, const unsigned char *data, size_t len); /* without padding */
/* NULL unless strictly base64url without padding. */
unsigned char *str_base64url_decode(void *mem, const char *s, size_t *len);
char *str_base64(void *mem, const unsigned char *data, size_t len); /* RFC 4648 section 4, padded */
/* NULL unless strictly base64 with its padding, on one line. */
unsigned char *str_base64_decode(void *mem, const char *s, size_t *len);
char *str_hex(void *mem, const unsigned char *data, size_t len);

#endif
