#ifndef STINT_DOMAIN_CLOCKTIME_H
#define STINT_DOMAIN_CLOCKTIME_H
/*
 * The time on a wall clock, as people type it; inside it is seconds since midnight, 0 … 86399. Which instant that is
 * depends on day and zone and is SQL's to decide.
 *
 * Read: "9:40" "09:40:15" "9.40" "21h40" "21h"; "940" "0940" (three or four digits), "9" "21" (hours); any of these with am,
 * pm, a, p, a.m., p.m. after it, which then wants hours 1 … 12. "24:00" is refused: it is 0:00 of the next day.
 */
#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

#define CLOCKTIME_TEXT 16

/* White space around it is fine. ERR_REQUIRED when there is nothing, ERR_FORMAT when it cannot be read, ERR_RANGE for no
 * time of a day (25:00, 9:75). */
enum err clocktime_parse(const char *s, int32_t *second_of_day);

void clocktime_format(int32_t second_of_day, bool clock_12h, char out[CLOCKTIME_TEXT]); /* 9:40, 9:40 pm */
void clocktime_format_iso(int32_t second_of_day, char out[CLOCKTIME_TEXT]);             /* 09:40:00, for SQL and <input type=time> */

#endif
