/*
 * stint jobs: background work for operators. What is asked and done is SQL's (functions/94-jobs-view.sql), as stint_worker; here
 * words are read and answers shown, as tables or, with --json, as the document itself. Redis is asked for the length of its
 * lists alone: what it holds are ids of jobs that PostgreSQL knows.
 *
 * Exit status: 0 done, 1 not done (no such job, its state does not allow it, no database), 64 wrongly asked.
 */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/schedules.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "cli/table.h"
#include "db/db.h"
#include "jobs/jobs.h"
#include "queue/child.h"
#include "redis/redis.h"

enum { OPTIONS_MOST = 8,
	WORDS_MOST = 2,
	RETRY_CHUNK = 1000,
	KEYS = 8,
	REDIS_MS = 2000 };

struct asked {
	void *mem;
	const struct conf *conf;
	struct db *db;
	const char *words[WORDS_MOST];
	int nwords;
	struct {
		const char *name, *value;
	} options[OPTIONS_MOST];
	int noptions;
};

struct command {
	const char *name, *takes, *about;
	const char *options[6]; /* a name that ends with = takes a value */
	int words;              /* at most */
	int (*run)(struct asked *a);
};

static int wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int wrong(const char *format, ...)
{
	va_list args;

	fputs("stint jobs: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return 64;
}

static const char *option(const struct asked *a, const char *name)
{
	for (int i = 0; i < a->noptions; i++)
		if (str_eq(a->options[i].name, name))
			return a->options[i].value;
	return NULL;
}

static bool run(struct asked *a, const char *query, const char *const *given, struct db_result **rows)
{
	const struct db_stmt stmt = db_bind(a->mem, query, given);
	struct db_fail f = { 0 };

	if (!db_run(a->db, a->mem, &stmt, 1, false, rows, &f))
		return true;
	fprintf(stderr, "stint jobs: %s. %s\n", err_info(f.err)->title, err_info(f.err)->detail);
	return false;
}

/* The document of a query; NULL when it failed (said already) or has no row. */
static struct json_object *document(struct asked *a, const char *query, const char *const *given, bool *failed)
{
	struct db_result *rows = NULL;

	*failed = !run(a, query, given, &rows);
	return *failed || !db_rows(rows) ? NULL : json_trusted(a->mem, db_text(rows, 0, "doc"));
}

static void print_json(struct asked *a, struct json_object *doc)
{
	puts(json_text(a->mem, doc));
}

static int number(const struct asked *a, const char *name, int64_t most, const char *dflt, const char **text)
{
	int64_t n;

	*text = option(a, name);
	if (!*text)
		*text = dflt;
	else if (!str_to_int(*text, 1, most, &n))
		return wrong("%s takes a whole number from 1 to %lld, not \"%s\"", name, (long long)most, *text);
	return 0;
}

static int job_id(const struct asked *a)
{
	if (!a->nwords)
		return wrong("say which job by its ID; `stint jobs list` shows them");
	if (!uuid_is_valid(a->words[0]))
		return wrong("\"%s\" is no ID of a job, which looks like 018f3c5e-7b1a-7c3d-9e2f-0123456789ab; `stint jobs list` shows them",
			a->words[0]);
	return 0;
}

static int nowhere(const struct asked *a)
{
	fprintf(stderr, "stint jobs: there is no job %s; it may have ended and been cleared away. `stint jobs list` shows what there is\n",
		a->words[0]);
	return 1;
}

static int known_kind(const char *kind)
{
	if (job_kind_find(job_kinds, kind))
		return 0;
	wrong("there is no kind of job \"%s\"; there are:", kind);
	for (int i = 0; job_kinds[i]; i++)
		fprintf(stderr, "  %s: %s\n", job_kinds[i]->name, job_kinds[i]->about);
	return 64;
}

static int known_state(const char *state)
{
	static const char *const states[] = { "waiting", "running", "done", "dead", "cancelled", "expired" };

	for (size_t i = 0; state && i < sizeof(states) / sizeof(*states); i++)
		if (str_eq(states[i], state))
			return 0;
	return state ? wrong("--state is one of waiting, running, done, dead, cancelled, expired, not \"%s\"", state) : 0;
}

static int list(struct asked *a)
{
	static const struct column columns[] = { { "id", "ID", false, 0 }, { "kind", "KIND", false, 30 }, { "queue", "QUEUE", false, 20 },
		{ "state", "STATE", false, 0 }, { "attempts", "TRIED", true, 0 }, { "due_at", "DUE", false, 0 }, { "finished_at", "ENDED", false, 0 },
		{ "organization", "ORGANIZATION", false, 24 }, { "error", "ERROR", false, 60 }, { 0 } };
	const char *limit, *org = option(a, "--organization");
	struct json_object *doc;
	bool failed;

	if (number(a, "--limit", 10000, "50", &limit) || known_state(option(a, "--state")))
		return 64;
	if (org && !uuid_is_valid(org))
		return wrong("--organization takes the ID of an organization, not \"%s\"", org);
	doc = document(a, "jobs_operator_list",
		(const char *const[]){ "state", option(a, "--state"), "kind", option(a, "--kind"), "queue", option(a, "--queue"),
			"organization", org, "limit", limit, NULL },
		&failed);
	if (failed)
		return 1;
	if (option(a, "--json"))
		print_json(a, doc);
	else
		table_print(a->mem, doc, columns, "There is no such job.");
	return 0;
}

static int show(struct asked *a)
{
	struct json_object *doc;
	bool failed;

	if (job_id(a))
		return 64;
	doc = document(a, "jobs_operator_show", (const char *const[]){ "job_id", a->words[0], NULL }, &failed);
	if (!doc)
		return failed ? 1 : nowhere(a);
	if (option(a, "--json"))
		print_json(a, doc);
	else
		table_print_object(a->mem, doc);
	return 0;
}

static int act(struct asked *a, const char *what)
{
	struct db_result *rows = NULL;

	if (job_id(a))
		return 64;
	if (!run(a, "jobs_operator_act", (const char *const[]){ "what", what, "job_id", a->words[0], NULL }, &rows))
		return 1;
	if (!db_rows(rows))
		return nowhere(a);
	if (option(a, "--json"))
		printf("{\"id\":\"%s\",\"state\":\"%s\"}\n", a->words[0], db_text(rows, 0, "state"));
	else
		printf("%s is %s\n", a->words[0], db_text(rows, 0, "state"));
	return 0;
}

static int drop(struct asked *a)
{
	return act(a, "drop");
}

static int restore(struct asked *a)
{
	return act(a, "restore");
}

static int cancel(struct asked *a)
{
	return act(a, "cancel");
}

/* Some at a time, so that no transaction is long. */
static int retry_all(struct asked *a, const char *kind, const char *state)
{
	const char *most = mem_printf(a->mem, "%d", RETRY_CHUNK);
	int64_t total = 0, n, kept = 0;

	do {
		struct db_result *rows = NULL;

		if (!run(a, "jobs_operator_retry_all", (const char *const[]){ "kind", kind, "state", state, "most", most, NULL }, &rows) ||
			!str_to_int(db_text(rows, 0, "retried"), 0, INT64_MAX, &n) || !str_to_int(db_text(rows, 0, "kept"), 0, INT64_MAX, &kept))
			return 1;
		total += n;
	} while (n > 0);
	if (option(a, "--json"))
		printf("{\"retried\":%lld,\"kept\":%lld}\n", (long long)total, (long long)kept);
	else
		printf("%lld run again%s\n", (long long)total, kept ? "; of some a newer one with the same key waits already" : "");
	return 0;
}

static int retry(struct asked *a)
{
	const char *kind = option(a, "--kind"), *state = option(a, "--state");

	if (a->nwords && (kind || state))
		return wrong("retry takes an ID, or --kind and --state, not both");
	if (a->nwords)
		return act(a, "retry");
	if (!kind || !state)
		return wrong("retry takes the ID of a job, or --kind K --state dead for all of a kind");
	if (!str_eq(state, "dead") && !str_eq(state, "cancelled") && !str_eq(state, "expired"))
		return wrong("--state is dead, cancelled or expired here, not \"%s\"", state);
	return known_kind(kind) ? 64 : retry_all(a, kind, state);
}

/* How many ids lie in Redis for a queue; what Redis lost is pushed again, so the numbers need not agree. */
static void put_redis(struct asked *a, struct redis *redis, struct json_object *queue)
{
	const char *keys[KEYS], *name = json_str(queue, "queue");
	int64_t lengths[KEYS], sum = 0;
	int n = 0;

	for (size_t i = 0; i < sizeof(job_priorities) / sizeof(*job_priorities); i++) {
		keys[n++] = jobs_key(a->mem, name, job_priorities[i], false);
		keys[n++] = jobs_key(a->mem, name, job_priorities[i], true);
	}
	if (!redis_lengths(redis, keys, n, lengths)) {
		json_object_object_add(queue, "in_redis", NULL);
		return;
	}
	for (int i = 0; i < n; i++)
		sum += lengths[i];
	json_object_object_add(queue, "in_redis", json_object_new_int64(sum));
}

/* Whose child runs what, one a line. */
static struct json_object *flat_running(struct asked *a, struct json_object *workers)
{
	struct json_object *out = json_own(a->mem, json_object_new_array());

	for (size_t i = 0; i < json_object_array_length(workers); i++) {
		struct json_object *w = json_object_array_get_idx(workers, i), *jobs = json_object_object_get(w, "running");

		for (size_t k = 0; k < json_object_array_length(jobs); k++) {
			struct json_object *job = json_object_get(json_object_array_get_idx(jobs, k));

			json_object_object_add(job, "host", json_object_new_string(json_str(w, "host")));
			json_object_object_add(job, "seconds",
				json_object_new_int64(json_object_get_int64(json_object_object_get(job, "ms")) / 1000));
			json_object_array_add(out, job);
		}
	}
	return out;
}

static int inspect(struct asked *a)
{
	static const struct column of_workers[] = { { "host", "HOST", false, 40 }, { "pid", "PID", true, 0 }, { "alive", "ALIVE", false, 0 },
		{ "started_at", "SINCE", false, 0 }, { "seen_at", "SEEN", false, 0 }, { "queues", "QUEUES", false, 60 }, { 0 } };
	static const struct column of_running[] = { { "host", "HOST", false, 40 }, { "pid", "PID", true, 0 }, { "kind", "KIND", false, 30 },
		{ "job", "JOB", false, 0 }, { "seconds", "SECONDS", true, 0 }, { 0 } };
	static const struct column of_queues[] = { { "queue", "QUEUE", false, 0 }, { "waiting", "WAITING", true, 0 }, { "due", "DUE", true, 0 },
		{ "running", "RUNNING", true, 0 }, { "oldest_due_at", "OLDEST DUE", false, 0 }, { "in_redis", "IN REDIS", true, 0 }, { 0 } };
	struct redis *redis = redis_new(a->mem, a->conf->redis_url, a->conf->redis_password);
	struct json_object *queues, *workers, *doc;
	bool failed;

	redis_set_timeout(redis, REDIS_MS);
	doc = document(a, "jobs_operator_inspect", (const char *const[]){ NULL }, &failed);
	if (!doc)
		return 1;
	queues = json_object_object_get(doc, "queues");
	workers = json_object_object_get(doc, "workers");
	for (size_t i = 0; i < json_object_array_length(queues); i++)
		put_redis(a, redis, json_object_array_get_idx(queues, i));
	if (option(a, "--json")) {
		print_json(a, doc);
		return 0;
	}
	table_print(a->mem, workers, of_workers, "No worker was heard of: start stint-worker.");
	putchar('\n');
	table_print(a->mem, flat_running(a, workers), of_running, "Nothing runs.");
	putchar('\n');
	table_print(a->mem, queues, of_queues, "There is no queue.");
	return 0;
}

static int stats(struct asked *a)
{
	static const struct column columns[] = { { "kind", "KIND", false, 30 }, { "outcome", "OUTCOME", false, 0 }, { "count", "COUNT", true, 0 },
		{ "per_minute", "PER MIN", true, 0 }, { "mean_ms", "MEAN MS", true, 0 }, { "p50_ms", "P50 MS", true, 0 },
		{ "p95_ms", "P95 MS", true, 0 }, { "p99_ms", "P99 MS", true, 0 }, { 0 } };
	struct json_object *doc;
	const char *minutes;
	bool failed;

	if (number(a, "--minutes", 10080, "60", &minutes))
		return 64;
	doc = document(a, "jobs_operator_stats", (const char *const[]){ "minutes", minutes, NULL }, &failed);
	if (failed)
		return 1;
	if (option(a, "--json"))
		print_json(a, doc);
	else
		table_print(a->mem, doc, columns, "Nothing ran in that time.");
	return 0;
}

static int schedule(struct asked *a)
{
	static const struct column columns[] = { { "kind", "KIND", false, 30 }, { "cron", "CRON", false, 0 }, { "zone", "ZONE", false, 0 },
		{ "backfill", "BACKFILL", false, 0 }, { "last_at", "LAST (UTC)", false, 0 }, { "next_local", "NEXT (LOCAL)", false, 0 },
		{ "next_at", "NEXT (UTC)", false, 0 }, { 0 } };
	struct json_object *doc;
	bool failed;

	doc = document(a, "jobs_operator_schedules", (const char *const[]){ NULL }, &failed);
	if (failed)
		return 1;
	schedules_put_next(doc, clock_now_us() / 1000000);
	if (option(a, "--json"))
		print_json(a, doc);
	else
		table_print(a->mem, doc, columns, "No kind of job has a schedule.");
	return 0;
}

static int enqueue(struct asked *a)
{
	const char *queue = option(a, "--queue"), *options = "{}", *where = NULL;
	struct json_object *args = NULL, *o;
	struct db_result *rows = NULL;

	if (a->nwords < 2)
		return wrong("enqueue takes a kind and its arguments as a JSON object, like: stint jobs enqueue housekeeping '{}'");
	if (known_kind(a->words[0]))
		return 64;
	if (json_parse(a->mem, a->words[1], strlen(a->words[1]), &args, &where) || !json_object_is_type(args, json_type_object))
		return wrong("the arguments are no JSON object%s%s; write them like '{\"to\": \"a@b.example\"}'", where ? ": " : "",
			where ? where : "");
	if (queue && (!*queue || strspn(queue, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != strlen(queue) || queue[0] < 'a' || strlen(queue) > 63))
		return wrong("--queue takes the name of a queue in small letters, like mail, not \"%s\"", queue);
	if (queue) {
		o = json_own(a->mem, json_object_new_object());
		json_object_object_add(o, "queue", json_object_new_string(queue));
		options = json_text(a->mem, o);
	}
	if (!run(a, "jobs_enqueue", (const char *const[]){ "kind", a->words[0], "args", a->words[1], "options", options, NULL }, &rows))
		return 1;
	if (option(a, "--json"))
		printf("{\"id\":\"%s\"}\n", db_text(rows, 0, "id"));
	else
		puts(db_text(rows, 0, "id"));
	return 0;
}

static const struct command commands[] = {
	{ "list", "[--state S] [--kind K] [--queue Q] [--organization ID] [--limit N]", "jobs, the newest first",
		{ "--state=", "--kind=", "--queue=", "--organization=", "--limit=" }, 0, list },
	{ "show", "ID", "everything of one job but its secrets", { NULL }, 1, show },
	{ "retry", "ID | --kind K --state dead", "run it now, with all its attempts", { "--kind=", "--state=" }, 1, retry },
	{ "cancel", "ID", "one that runs is told to end", { NULL }, 1, cancel },
	{ "drop", "ID", "take one away that does not run", { NULL }, 1, drop },
	{ "restore", "ID", "take back a drop, within a day", { NULL }, 1, restore },
	{ "inspect", "", "workers, what they run, and queues", { NULL }, 0, inspect },
	{ "stats", "[--minutes N]", "runs by kind and outcome, of the last hour", { "--minutes=" }, 0, stats },
	{ "schedule", "", "kinds that run by the clock", { NULL }, 0, schedule },
	{ "enqueue", "KIND JSON [--queue Q]", "a job of nobody's organization", { "--queue=" }, 2, enqueue },
	{ 0 },
};

static int usage(void)
{
	fputs("usage: stint jobs COMMAND [--json]\n", stderr);
	for (const struct command *cmd = commands; cmd->name; cmd++)
		fprintf(stderr, "  %s %s\n      %s\n", cmd->name, cmd->takes, cmd->about);
	return 64;
}

/* 0, or 64 after it was said what is wrong. Takes the value that follows, too. */
static int read_option(struct asked *a, const struct command *cmd, const char *word, const char *next, bool *takes)
{
	const char *value = "yes";
	bool known = str_eq(word, "--json");

	*takes = false;
	for (int i = 0; i < 6 && cmd->options[i] && !known; i++) {
		known = strncmp(cmd->options[i], word, strlen(word)) == 0 && str_eq(cmd->options[i] + strlen(word), "=");
		*takes = known;
	}
	if (!known)
		return wrong("%s has no option %s; it takes: %s [--json]", cmd->name, word, cmd->takes);
	if (*takes && !next)
		return wrong("%s needs a value behind it", word);
	if (option(a, word) || a->noptions == OPTIONS_MOST)
		return wrong("%s stands there twice; say it once", word);
	if (*takes)
		value = next;
	a->options[a->noptions].name = word;
	a->options[a->noptions++].value = value;
	return 0;
}

int cli_jobs(void *mem, const struct conf *conf, int argc, char **argv)
{
	struct asked a = { .mem = mem, .conf = conf, .db = db_new(mem, conf->worker_url, "stint jobs") };
	const struct command *cmd = commands;

	while (argc > 0 && cmd->name && !str_eq(cmd->name, argv[0]))
		cmd++;
	if (argc < 1)
		return usage();
	if (!cmd->name) {
		wrong("there is no command \"%s\"", argv[0]);
		return usage();
	}
	for (int i = 1; i < argc; i++) {
		bool takes = false;

		if (str_starts(argv[i], "--")) {
			if (read_option(&a, cmd, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &takes))
				return 64;
			i += takes;
		} else if (a.nwords == cmd->words) {
			return wrong("%s does not take \"%s\"; it takes: %s [--json]", cmd->name, argv[i], *cmd->takes ? cmd->takes : "nothing else");
		} else {
			a.words[a.nwords++] = argv[i];
		}
	}
	return cmd->run(&a);
}
