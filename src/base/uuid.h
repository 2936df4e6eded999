#ifndef STINT_BASE_UUID_H
#define STINT_BASE_UUID_H
/* RFC 9562 UUIDs. Ids are version 7, so they sort by the time they were made. */
#include <stdbool.h>
#define UUID_TEXT 37
void uuid_v7(char out[UUID_TEXT]);         /* monotonic within the process; fork-safe */
bool uuid_is_valid(const char *s);         /* 8-4-4-4-12 hex, either case */
bool uuid_normalize(const char *s, char out[UUID_TEXT]); /* lower case; false when invalid */
#endif
