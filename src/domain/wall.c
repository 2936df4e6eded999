/*
 * Zones by the C library: TZ=":Europe/Berlin" and localtime_r. A page is for one person, hence one
 * zone, and workers are single threads, so the library's one global zone is switched when the
 * person changes: 15 µs where it changed, 0.04 µs a conversion, against 5,000 µs that a page may
 * take. A reader of our own for tzdata would save nothing that can be seen, and would have to be
 * right about the rules beyond the tables; ICU would bring 31 MB.
 *
 * Nothing else in Stint may ask for local time.
 */
#include "domain/wall.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "domain/zones.h"

#define US 1000000

static char current[ZONE_MAX + 1];

static void zone_use(const char *zone)
{
	char tz[ZONE_MAX + 1] = ":UTC";

	if (!zone || !*zone || strlen(zone) >= ZONE_MAX)
		zone = "UTC";
	if (!strcmp(zone, current))
		return;
	memcpy(current, zone, strlen(zone) + 1);
	if (zone_is_valid(zone))
		memcpy(tz + 1, zone, strlen(zone) + 1);
	setenv("TZ", tz, 1);
	tzset();
}

struct wall wall_at(const char *zone, int64_t us)
{
	time_t s = us / US - (us % US < 0);
	struct tm tm = { .tm_mday = 1, .tm_year = 70 };

	zone_use(zone);
	localtime_r(&s, &tm);
	return (struct wall){ .year = tm.tm_year + 1900,
		.month = tm.tm_mon + 1,
		.day = tm.tm_mday,
		.hour = tm.tm_hour,
		.minute = tm.tm_min,
		.second = tm.tm_sec };
}

/*
 * mktime() may land before a gap or, where midnight comes twice, on the second one: look around it.
 */
int64_t wall_day_start_us(const char *zone, int year, int month, int day)
{
	struct tm tm = {
		.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_isdst = -1
	};
	int64_t noon, s;

	zone_use(zone);
	tm.tm_hour = 12;
	noon = mktime(&tm);
	for (s = noon - 13 * 3600; s < noon; s += 15 * 60) {
		struct wall w = wall_at(zone, s * US);

		if (w.year == year && w.month == month && w.day == day)
			break;
	}
	return s * US;
}
