/* See schedules.h. */
#include "app/schedules.h"

#include <stdio.h>

#include "base/iso8601.h"
#include "base/json.h"
#include "domain/cron.h"
#include "domain/wall.h"

enum { LOCAL_MAX = 64 };

static void put_next(struct json_object *o, int64_t now_s)
{
	const char *line = json_str(o, "cron"), *zone = json_str(o, "zone");
	char at[ISO8601_MAX], local[LOCAL_MAX];
	struct json_object *next_at = NULL, *next_local = NULL;
	struct cron cron;
	int64_t next_s = -1;

	if (!zone)
		zone = "UTC";
	if (line && cron_parse(line, &cron, NULL))
		next_s = cron_next(&cron, zone, now_s);
	if (next_s >= 0) {
		struct wall w = wall_at(zone, next_s * 1000000);

		iso8601_format(next_s * 1000000, at);
		snprintf(local, sizeof(local), "%04d-%02d-%02d %02d:%02d", w.year, w.month, w.day, w.hour, w.minute);
		next_at = json_object_new_string(at);
		next_local = json_object_new_string(local);
	}
	json_object_object_add(o, "next_at", next_at);
	json_object_object_add(o, "next_local", next_local);
}

void schedules_put_next(struct json_object *list, int64_t now_s)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++)
		put_next(json_object_array_get_idx(list, i), now_s);
}
