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
#include "queue/crew.h"

static const char usage[] =
	"usage: stint-worker [-c FILE] [--queues LIST] [--until-idle]\n"
	"  --queues LIST   instead of worker_queues: mail:2,default+outside:3\n"
	"  --until-idle    leave when nothing is left that could be done now\n";

static const struct option options[] = {
	{ "queues", required_argument, NULL, 'q' },
	{ "until-idle", no_argument, NULL, 'i' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char *conf_file;

static const struct conf *load(void)
{
	const char *why = NULL;
	const struct conf *conf = conf_load(mem_root("configuration"), conf_file, &why);

	if (!conf) {
		log_error("not started", "why", why ? why : "", NULL);
		return NULL;
	}
	log_init("stint-worker", log_level_of(conf->log_level));
	return conf;
}

static bool reload(struct crew *crew)
{
	const struct conf *conf = load();

	if (conf)
		crew->conf = conf;
	return conf != NULL;
}

int main(int argc, char **argv)
{
	struct crew crew = { .kinds = job_kinds, .reload = reload };
	int opt;

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
	crew.conf = load();
	if (!crew.conf)
		return 78;
	if (!crew.queues)
		crew.queues = crew.conf->worker_queues;
	return crew_run(&crew);
}
