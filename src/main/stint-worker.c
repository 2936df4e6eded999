/* stint-worker: configuration, wiring, run. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "crypto/crypto.h"
#include "jobs/jobs.h"
#include "jobs/tools.h"
#include "queue/crew.h"
#include "redis/redis.h"
#include "view/i18n.h"

static const char usage[] =
	"usage: stint-worker [-c FILE] [--queues LIST] [--until-idle]\n"
	"  --queues LIST   instead of worker_queues: mail:2,default+outside:3; one set of worker_queues by its name: mail; or all\n"
	"  --until-idle    leave when nothing is left that could be done now\n";

static const struct option options[] = {
	{ "queues", required_argument, NULL, 'q' },
	{ "until-idle", no_argument, NULL, 'i' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char *conf_file;
static void *loaded; /* below it is what the present configuration holds */

/* Configuration and templates: read by the master, shared by its children. A reload replaces both. */
static bool load(struct crew *crew)
{
	const char *why = NULL;
	void *mem = mem_root("configuration");
	const struct conf *conf = conf_load(mem, conf_file, &why);
	struct job_tools *tools = mem_new(mem, struct job_tools);
	struct net *net = NULL;

	if (conf && redis_fault(mem, conf->redis_url, conf->redis_password))
		why = mem_printf(mem, "redis_url: %s", redis_fault(mem, conf->redis_url, conf->redis_password));
	else if (conf)
		tools->views = views_load(mem, conf->templates_dir, conf->assets_file, conf->strict_templates, &why);
	/* Only asked whether its options are right: each child makes its own. */
	if (conf && tools->views)
		net = net_new(mem, conf, &why);
	if (!net) {
		log_error("not started", "why", why ? why : "", NULL);
		mem_free(mem);
		return false;
	}
	mem_free(net);
	log_init("stint-worker", log_level_of(conf->log_level));
	i18n_init(conf->locale_dir);
	mem_free(loaded);
	loaded = mem;
	crew->conf = conf;
	crew->arg = tools;
	return true;
}

static void *child_start(void *mem, struct crew *crew)
{
	const struct job_tools *shared = crew->arg;
	struct job_tools *tools = mem_new(mem, struct job_tools);
	const char *why = NULL;

	tools->views = shared->views;
	tools->net = net_new(mem, crew->conf, &why);
	if (!tools->net) {
		log_error("a runner cannot reach out", "why", why, NULL);
		exit(EXIT_FAILURE);
	}
	return tools;
}

int main(int argc, char **argv)
{
	struct crew crew = { .kinds = job_kinds, .reload = load, .child_start = child_start };
	int opt, status;

	while ((opt = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (opt == 'c')
			conf_file = optarg;
		else if (opt == 'q')
			crew.queues = optarg;
		else if (opt == 'i')
			crew.until_idle = true;
		else
			return fputs(usage, stderr), opt == 'h' ? 0 : 64;
	}
	proc_harden();
	crypto_init();
	log_init("stint-worker", LOG_INFO_);
	if (!load(&crew))
		return 78;
	crew.queues = pools_choose(loaded, crew.queues, crew.conf->worker_queues);
	status = crew_run(&crew);
	mem_free(loaded);
	return status;
}
