#ifndef STINT_BASE_JSON_SCAN_H
#define STINT_BASE_JSON_SCAN_H
/* The strictness of json_parse(), apart from building a tree; see json_scan.c. */
#include <stddef.h>
#include "base/err.h"

#define JSON_DEPTH_MAX 16

/* OK when text is one JSON value by the rules of json.h; otherwise *where says the place and what is wrong, below mem. */
enum err json_scan(void *mem, const char *text, size_t len, const char **where);

#endif
