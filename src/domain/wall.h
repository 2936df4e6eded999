#ifndef STINT_DOMAIN_WALL_H
#define STINT_DOMAIN_WALL_H
/* What the clock on a person's wall shows at an instant. */
#include <stdint.h>

struct wall {
	int year, month, day, hour, minute, second;
};

/* A zone nobody knows is UTC. */
struct wall wall_at(const char *zone, int64_t us);
/* The first instant of a day there: not midnight where clocks went forward then. */
int64_t wall_day_start_us(const char *zone, int year, int month, int day);

#endif
