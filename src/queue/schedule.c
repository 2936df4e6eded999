/* Schedules; see schedule.h. A slot is an instant: the local time a cron line names, in its zone, see domain/cron.h. */
#include "queue/schedule.h"

#include "base/failpoint.h"
#include "base/iso8601.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "domain/cron.h"
#include "domain/zones.h"

/* So many missed slots of "all" are made up for at most; older ones are let go. */
enum { BACKFILL_MOST = 1000, TICK_MOST = 50, LATE_S = 60 };

struct item {
	const struct job_kind *kind;
	struct cron cron;
	const char *zone;
	int64_t next_s; /* 0: not known yet */
};

struct schedule {
	struct item *items;
	int n;
};

struct schedule *schedule_new(void *mem, const struct job_kind *const *kinds, const char **why)
{
	struct schedule *s = mem_new(mem, struct schedule);

	for (int i = 0; kinds[i]; i++) {
		struct item item = { .kind = kinds[i], .zone = kinds[i]->zone ? kinds[i]->zone : "UTC" };
		const char *wrong = NULL;

		if (!kinds[i]->schedule)
			continue;
		if (!zone_is_valid(item.zone))
			wrong = "zone";
		if (wrong || !cron_parse(kinds[i]->schedule, &item.cron, &wrong)) {
			*why = mem_printf(mem, "the schedule \"%s\" of %s is wrong: %s", kinds[i]->schedule, kinds[i]->name, wrong);
			return NULL;
		}
		s->items = mem_grow(s, s->items, struct item, (size_t)s->n + 1);
		s->items[s->n++] = item;
	}
	return s;
}

static bool fire(struct db *db, const struct item *item, int64_t slot_s)
{
	void *mem = mem_root("fire");
	char at[ISO8601_MAX];
	struct db_stmt stmt;
	struct db_result *rows = NULL;
	bool ok;

	iso8601_format(slot_s * 1000000, at);
	stmt = db_bind(mem, "jobs_fire", (const char *const[]){ "kind", item->kind->name, "slot", at, NULL });
	fail_point("fire.before");
	ok = db_run(db, mem, &stmt, 1, false, &rows, NULL) == OK;
	fail_point("fire.after");
	mem_free(mem);
	return ok;
}

/* Where to go on from, after whatever fired it last; a schedule never seen begins now. */
static bool item_begin(struct item *item, struct db *db, int64_t now_s)
{
	void *mem = mem_root("slot");
	const struct db_stmt stmt = db_bind(mem, "jobs_last_slot", (const char *const[]){ "kind", item->kind->name, NULL });
	struct db_result *rows = NULL;
	bool ok = db_run(db, mem, &stmt, 1, true, &rows, NULL) == OK;
	int64_t last_s = now_s;
	const char *backfill = item->kind->backfill ? item->kind->backfill : "last", *text = ok ? db_text(rows, 0, "slot") : NULL;

	if (text)
		str_to_int(text, 0, now_s, &last_s);
	else if (item->next_s > 0)
		last_s = item->next_s - 1; /* seen by this process alone, which could not tell PostgreSQL */
	if (str_eq(backfill, "none") && last_s < now_s - LATE_S)
		last_s = now_s - LATE_S;
	mem_free(mem);
	if (!ok)
		return false;
	item->next_s = cron_next(&item->cron, item->zone, last_s);
	if (str_eq(backfill, "all")) {
		/* Not further back than so many slots. */
		int64_t missed = 0;

		for (int64_t s = item->next_s; s > 0 && s <= now_s; s = cron_next(&item->cron, item->zone, s))
			if (++missed > BACKFILL_MOST)
				item->next_s = cron_next(&item->cron, item->zone, item->next_s);
		return true;
	}
	for (;;) {
		int64_t after_s = item->next_s > 0 ? cron_next(&item->cron, item->zone, item->next_s) : -1;

		if (after_s < 0 || after_s > now_s)
			return true;
		item->next_s = after_s; /* "last": only the latest of what was missed */
	}
}

static bool item_tick(struct item *item, struct db *db, int64_t now_s)
{
	if ((!item->next_s || (item->next_s > 0 && item->next_s < now_s - LATE_S)) && !item_begin(item, db, now_s))
		return false;
	for (int i = 0; i < TICK_MOST && item->next_s > 0 && item->next_s <= now_s; i++) {
		if (!fire(db, item, item->next_s))
			return false;
		item->next_s = cron_next(&item->cron, item->zone, item->next_s);
	}
	return true;
}

bool schedule_tick(struct schedule *s, struct db *db, int64_t now_s)
{
	for (int i = 0; i < s->n; i++)
		if (!item_tick(&s->items[i], db, now_s))
			return false;
	return true;
}
