/*
 * stint celery: which queues Celery clients may call from, and what came in by them that was no call. A queue is bound to an
 * organization here and nowhere else; who may write to it, Redis says (docs/jobs.md). Asked as stint_worker, as stint jobs is.
 *
 * Exit status: 0 done, 1 not done, 64 wrongly asked.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "db/db.h"

static const char usage[] =
	"usage: stint celery intake add QUEUE --organization ID   take calls from this queue, for that organization\n"
	"       stint celery intake list\n"
	"       stint celery intake remove QUEUE\n"
	"       stint celery letters                             messages that were no call, and why\n";

struct asked {
	void *mem;
	const struct conf *conf;
};

static int wrong(const char *why)
{
	fprintf(stderr, "stint celery: %s\n", why);
	return 1;
}

static struct db_result *ask(struct asked *a, const char *query, const char *const *given)
{
	const struct db_stmt stmt = db_bind(a->mem, query, given);
	struct db_result *rows = NULL;
	struct db_fail fail = { 0 };

	if (db_run(db_new(a->mem, a->conf->worker_url, "stint celery"), a->mem, &stmt, 1, false, &rows, &fail)) {
		wrong(err_info(fail.err)->detail);
		return NULL;
	}
	return rows;
}

static bool is_queue(const char *name)
{
	static const char allowed[] = "0123456789_.-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	size_t len = strlen(name);

	return len >= 1 && len <= 63 && strspn(name, allowed) == len && strspn(name, "0123456789_.-") == 0;
}

/* Whether the queue is one that jobs hand work to: taking calls from it as well, Stint would call itself. */
static bool is_outgoing(const struct conf *conf, const char *queue)
{
	const char *at = conf->celery_queues;

	while (*at) {
		size_t n;

		at += strspn(at, ", \t");
		n = strcspn(at, ", \t");
		if (n == strlen(queue) && memcmp(at, queue, n) == 0)
			return true;
		at += n;
	}
	return false;
}

static int intake_add(struct asked *a, const char *queue, const char *organization)
{
	const struct db_result *rows;
	const char *how;

	if (!is_queue(queue))
		return wrong("a queue is a letter and up to 62 of letters, digits, _ . -"), 64;
	if (!uuid_is_valid(organization))
		return wrong("--organization: the id of an organization"), 64;
	if (is_outgoing(a->conf, queue))
		return wrong("this queue is one of celery_queues: jobs hand work to it");
	rows = ask(a, "celery_intake_add", (const char *const[]){ "queue", queue, "organization_id", organization, NULL });
	if (!rows)
		return 1;
	how = db_text(rows, 0, "how");
	if (str_eq(how, "unknown"))
		return wrong("there is no such organization");
	if (str_eq(how, "taken"))
		return wrong("this queue is another organization's; choose another name, or remove it first");
	printf(str_eq(how, "same") ? "%s was there already.\n" : "Calls on %s are taken. Who may write there: see docs/jobs.md.\n", queue);
	return 0;
}

static int intake_list(struct asked *a)
{
	const struct db_result *rows = ask(a, "celery_intakes", NULL);

	if (!rows)
		return 1;
	if (!db_rows(rows))
		puts("No queue is taken from.");
	for (int i = 0; i < db_rows(rows); i++)
		printf("%-24s %s  %s  letters: %s\n", db_text(rows, i, "queue"), db_text(rows, i, "organization_id"), db_text(rows, i, "name"),
			db_text(rows, i, "letters"));
	return 0;
}

static int intake_remove(struct asked *a, const char *queue)
{
	const struct db_result *rows = ask(a, "celery_intake_remove", (const char *const[]){ "queue", queue, NULL });

	if (!rows)
		return 1;
	if (!str_eq(db_text(rows, 0, "removed"), "t"))
		return wrong("no calls are taken from such a queue");
	printf("Nothing is taken from %s any more; what lies there stays.\n", queue);
	return 0;
}

static int letters(struct asked *a)
{
	const struct db_result *rows = ask(a, "celery_letters", (const char *const[]){ "most", "200", NULL });

	if (!rows)
		return 1;
	if (!db_rows(rows))
		puts("There are none.");
	for (int i = 0; i < db_rows(rows); i++) {
		const char *task = db_text(rows, i, "task"), *id = db_text(rows, i, "task_id");

		printf("%s  %s  %s\n  task %s, id %s\n  %s\n", db_text(rows, i, "at"), db_text(rows, i, "queue"), db_text(rows, i, "reason"),
			task ? task : "-", id ? id : "-", db_text(rows, i, "head"));
	}
	return 0;
}

int cli_celery(void *mem, const struct conf *conf, int argc, char **argv)
{
	struct asked a = { .mem = mem, .conf = conf };
	bool intake = argc >= 2 && str_eq(argv[0], "intake");

	if (argc == 1 && str_eq(argv[0], "letters"))
		return letters(&a);
	if (intake && argc == 2 && str_eq(argv[1], "list"))
		return intake_list(&a);
	if (intake && argc == 3 && str_eq(argv[1], "remove"))
		return intake_remove(&a, argv[2]);
	if (intake && argc == 5 && str_eq(argv[1], "add") && str_eq(argv[3], "--organization"))
		return intake_add(&a, argv[2], argv[4]);
	fputs(usage, stderr);
	return 64;
}
