/* stint: the operator's command. */
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "crypto/crypto.h"
#include "db/db.h"
#include "db/migrate.h"
#include "jobs/jobs.h"
#include "redis/redis.h"

static const char usage[] =
	"usage: stint [-c FILE] COMMAND\n"
	"  migrate [--dry-run|--status]   bring the database up to date\n"
	"  demo                           load the demo organizations\n"
	"  doctor                         is everything there that is needed?\n"
	"  celery intake|letters          calls of Celery clients: from which queues, and what was no call\n"
	"  routes [--json|--nginx|--openapi]\n"
	"  explain ROUTE --as EMAIL       plan and document of a route, as that person\n"
	"  check-queries                  plan every query, bind every route\n"
	"  jobs COMMAND                   background work: list, show, retry, cancel, drop, inspect, stats, schedule, enqueue\n"
	"  config check|help              the configuration, or all its options\n";

static int config_check(void *mem, const struct conf *conf)
{
	const char *fault = redis_fault(mem, conf->redis_url, conf->redis_password);

	if (fault)
		return fprintf(stderr, "stint: redis_url: %s\n", fault), 78;
	return puts("The configuration is fine."), 0;
}

static int config(void *mem, const struct conf *conf, const char *what)
{
	if (str_eq(what, "help"))
		return puts(conf_help(mem)), 0;
	if (str_eq(what, "check") && conf)
		return config_check(mem, conf);
	return fputs(usage, stderr), 64;
}

/* What kinds of jobs there are is the program's to say, so that jobs of new ones can be enqueued from now on. */
static int declare_kinds(void *mem, const struct conf *conf)
{
	const struct db_stmt stmt = db_bind(mem, "jobs_kinds_declare",
		(const char *const[]){ "kinds", job_kinds_json(mem, job_kinds), NULL });
	struct db_result *rows;

	return db_run(db_new(mem, conf->migrate_url, "stint migrate"), mem, &stmt, 1, false, &rows, NULL) ? 1 : 0;
}

static int migrations(void *mem, const struct conf *conf, const char *how)
{
	enum migrate_mode mode = str_eq(how, "--dry-run") ? MIGRATE_DRY_RUN : str_eq(how, "--status") ? MIGRATE_STATUS
												      : MIGRATE_RUN;

	int status = migrate(conf->migrate_url, mode);

	return status || mode != MIGRATE_RUN ? status : declare_kinds(mem, conf);
}

static int command(void *mem, const char *file, int argc, char **argv)
{
	const char *what = argc > 0 ? argv[0] : "", *first = argc > 1 ? argv[1] : NULL;
	const char *why = NULL;
	const struct conf *conf;

	if (str_eq(what, "routes"))
		return cli_routes(mem, first);
	if (str_eq(what, "config") && str_eq(first, "help"))
		return config(mem, NULL, first);
	conf = conf_load(mem, file, &why);
	if (!conf)
		return fprintf(stderr, "stint: %s\n", why), 78;
	if (str_eq(what, "migrate"))
		return migrations(mem, conf, first);
	if (str_eq(what, "demo"))
		return sql_file_run(conf->migrate_url, "demo.sql");
	if (str_eq(what, "doctor"))
		return cli_doctor(mem, conf);
	if (str_eq(what, "celery"))
		return cli_celery(mem, conf, argc - 1, argv + 1);
	if (str_eq(what, "check-queries"))
		return cli_check_queries(mem, conf);
	if (str_eq(what, "explain") && argc == 4 && str_eq(argv[2], "--as"))
		return cli_explain(mem, conf, first, argv[3]);
	if (str_eq(what, "jobs"))
		return cli_jobs(mem, conf, argc - 1, argv + 1);
	if (str_eq(what, "config"))
		return config(mem, conf, first);
	return fputs(usage, stderr), 64;
}

int main(int argc, char **argv)
{
	void *mem = mem_root("stint");
	const char *file = NULL;
	int status;

	if (argc > 2 && str_eq(argv[1], "-c")) {
		file = argv[2];
		argv += 2;
		argc -= 2;
	}
	crypto_init();
	log_init("stint", LOG_WARN_);
	status = command(mem, file, argc - 1, argv + 1);
	mem_free(mem);
	return status;
}
