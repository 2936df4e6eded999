#ifndef STINT_DOMAIN_ZONES_H
#define STINT_DOMAIN_ZONES_H
/*
 * The names of time zones, from the system's tzdata, which PostgreSQL uses too. Names alone: the arithmetic is SQL's.
 */
#include <stdbool.h>
#include <stddef.h>

#define ZONE_MAX 64 /* bytes of a name, with its NUL */

/* A name tzdata has (aliases such as Asia/Calcutta too). Safe for any text: the characters are checked before a file is looked at. */
bool zone_is_valid(const char *name);

/* Names to choose from: one for every region people live in, and UTC; sorted, NULL-terminated. Below mem; read once and keep. */
const char *const *zones_list(void *mem, size_t *count);

#endif
