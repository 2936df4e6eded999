#ifndef STINT_BASE_CLOCK_H
#define STINT_BASE_CLOCK_H
/* The only way to ask for the time, so that tests can set it. */
#include <stdint.h>

int64_t clock_now_us(void);       /* microseconds since 1970, UTC */
int64_t clock_monotonic_us(void); /* for measuring */
void clock_set_us(int64_t now_us); /* tests: freezes clock_now_us; 0 thaws */

#endif
