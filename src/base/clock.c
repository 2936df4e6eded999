/*
 * The time of day and the time that only grows. Nothing else in the house asks the system, so a
 * test can stop the clock where it likes. Measuring is never frozen.
 */
#include "base/clock.h"

#include <time.h>

static int64_t frozen_us;

static int64_t read_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
	return frozen_us ? frozen_us : read_us(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

void clock_set_us(int64_t now_us)
{
	frozen_us = now_us;
}
