#ifndef STINT_DOMAIN_DURATION_H
#define STINT_DOMAIN_DURATION_H
/*
 * Durations as people type and read them; inside they are whole seconds.
 *
 * Read: "1:30" "0:45:10" ":30" (hours:minutes[:seconds]); "1h 30m" "1h30" "1.5h" "90m" "45s", units h hr hrs hour hours,
 * m min mins minute minutes, s sec secs second seconds, each once, largest first; "1.5" "1,5" ".25" (hours, since
 * nobody types decimal minutes). A bare integer is what the person's own style says: minutes for those who see 1:30, as in
 * Toggl and Clockify ("90" is 1:30), hours for those who see decimals ("2" is 2.00). No guess by size: "12" never
 * means something else than "13". Days are refused, since one person's day is 8 hours and another's 24.
 */
#include <stdint.h>
#include "base/err.h"

#define DURATION_TEXT 32                /* room for any text made here */
#define DURATION_MAX_S (10000LL * 3600) /* more is a typing error */

enum duration_style { DURATION_CLOCK, DURATION_DECIMAL };

/* White space around it is fine. ERR_REQUIRED when there is nothing, ERR_FORMAT when it cannot be read, ERR_RANGE above DURATION_MAX_S. */
enum err duration_parse(const char *s, enum duration_style style, int64_t *seconds);

/* Any number of seconds, negative ones with "-". Whole minutes are cut, never rounded up: time not worked is not shown. */
void duration_format_short(int64_t s, char out[DURATION_TEXT]);   /* 1:30 */
void duration_format_clock(int64_t s, char out[DURATION_TEXT]);   /* 1:30:05 */
void duration_format_decimal(int64_t s, char out[DURATION_TEXT]); /* 1.50, hours to the nearest hundredth */
void duration_format_long(int64_t s, char out[DURATION_TEXT]);    /* 1 h 30 min, 45 min, 20 s, 0 min */
/* The text of an input field: in the person's style, and read back as the very same number of seconds. */
void duration_format_input(int64_t s, enum duration_style style, char out[DURATION_TEXT]);

#endif
