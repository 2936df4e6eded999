/* What is read as a schedule has its next slot after the moment asked for, on a whole minute the schedule names or behind a gap, and
 * asking again from just before finds the same. */
#include <string.h>

#include "domain/cron.h"
#include "base/mem.h"
#include "domain/wall.h"
#include "fuzz.h"

static const char *const zones[] = { "UTC", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia" };

static void try(const struct cron *c, const char *zone, int64_t after_s)
{
	int64_t next = cron_next(c, zone, after_s);
	struct wall w;

	if (next < 0)
		return;
	FUZZ_HOLDS(next > after_s && next % 60 == 0);
	FUZZ_HOLDS(cron_next(c, zone, next - 1) == next);
	w = wall_at(zone, next * 1000000);
	if (zone == zones[0])
		FUZZ_HOLDS(c->minutes >> w.minute & 1 && c->hours >> w.hour & 1 && c->months >> w.month & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup(NULL, (const char *)data, size);
	const char *why = NULL;
	struct cron c;

	if (cron_parse(text, &c, &why)) {
		FUZZ_HOLDS(c.minutes && !(c.minutes >> 60) && c.hours && !(c.hours >> 24) && c.weekdays && !(c.weekdays >> 7));
		FUZZ_HOLDS(c.days && !(c.days & 1) && c.months && !(c.months & 1) && !(c.months >> 13));
		for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++)
			try(&c, zones[i], i == 4 ? 1325203200 : 1774747800); /* the days before clocks change */
	} else {
		FUZZ_HOLDS(why && *why);
	}
	mem_free(text);
	return 0;
}
