#ifndef STINT_BASE_ISO8601_H
#define STINT_BASE_ISO8601_H
/* RFC 3339 instants and calendar dates. Years 1970 to 9999, proleptic Gregorian; leap seconds are refused. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISO8601_MAX 32
struct date { int year, month, day; };

bool iso8601_parse(const char *s, int64_t *us);            /* 2026-11-02T09:40:00[.frac](Z|+hh:mm) */
void iso8601_format(int64_t us, char out[ISO8601_MAX]);    /* …Z, fraction only when there is one */
bool date_parse(const char *s, struct date *out);          /* YYYY-MM-DD, real days only */
void date_format(struct date d, char out[ISO8601_MAX]);
int64_t date_to_days(struct date d);                       /* days since 1970-01-01 */
struct date date_from_days(int64_t days);
int date_weekday(struct date d);                           /* 1 Monday … 7 Sunday */

#endif
