/*
 * One scheduler whose clock is its standard input: for every line, a number of seconds since 1970, it does what a keeper does at
 * that moment and answers "ok" or "away". tests/jobs/schedule.test.js runs several at once and kills them.
 *
 *	schedule-stepper CONNECTION-STRING
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "queue/schedule.h"

static enum job_end run(struct job *j)
{
	(void)j;
	return JOB_OK;
}

#define SCHEDULED(text, cron, where, missed) \
	{ \
		.name = (text), .about = "a schedule", .queue = "slots", .schedule = (cron), .zone = (where), .backfill = (missed), .run = run \
	}

static const struct job_kind declared[] = {
	SCHEDULED("slot.berlin", "30 2 * * *", "Europe/Berlin", "all"),
	SCHEDULED("slot.berlin_hourly", "0 * * * *", "Europe/Berlin", "all"),
	SCHEDULED("slot.lord_howe", "45 1 * * *", "Australia/Lord_Howe", "all"),
	SCHEDULED("slot.lord_howe_gap", "15 2 * * *", "Australia/Lord_Howe", "all"),
	SCHEDULED("slot.cairo", "0 0 * * *", "Africa/Cairo", "all"),
	SCHEDULED("slot.new_york", "15 1,2 * * *", "America/New_York", "all"),
	SCHEDULED("slot.none", "*/10 * * * *", NULL, "none"),
	SCHEDULED("slot.last", "*/10 * * * *", NULL, "last"),
	SCHEDULED("slot.all", "*/10 * * * *", NULL, "all"),
};

enum { KINDS = sizeof(declared) / sizeof(*declared) };

int main(int argc, char **argv)
{
	const struct job_kind *kinds[KINDS + 1] = { NULL };
	void *mem = mem_root("stepper");
	const char *why = NULL;
	struct schedule *schedule;
	struct db_result *rows = NULL;
	struct db_stmt declare;
	struct db *db;
	char line[64];

	log_init("schedule-stepper", LOG_INFO_);
	for (int i = 0; i < KINDS; i++)
		kinds[i] = &declared[i];
	schedule = schedule_new(mem, kinds, &why);
	if (argc != 2 || !schedule)
		return fprintf(stderr, "schedule-stepper CONNECTION-STRING: %s\n", why ? why : "one argument"), 64;
	db = db_new(mem, argv[1], "schedule-stepper");
	declare = db_bind(mem, "jobs_kinds_declare", (const char *const[]){ "kinds", job_kinds_json(mem, kinds), NULL });
	if (db_run(db, mem, &declare, 1, false, &rows, NULL) != OK)
		return fputs("PostgreSQL is away\n", stderr), 69;
	while (fgets(line, sizeof(line), stdin)) {
		int64_t now_s = 0;

		line[strcspn(line, "\n")] = 0;
		if (!str_to_int(line, 0, INT64_MAX, &now_s))
			return fputs("that is no time\n", stderr), 64;
		puts(schedule_tick(schedule, db, now_s) ? "ok" : "away");
		fflush(stdout);
	}
	mem_free(mem);
	return 0;
}
