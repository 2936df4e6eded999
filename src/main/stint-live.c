/* stint-live: options, run. Everything else is in src/live. */
#include <getopt.h>
#include <stdio.h>

#include "base/log.h"
#include "base/proc.h"
#include "crypto/crypto.h"
#include "live/live.h"

int main(int argc, char **argv)
{
	const char *conf_file = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "c:")) != -1) {
		if (opt != 'c') {
			fputs("usage: stint-live [-c FILE]\n", stderr);
			return 64;
		}
		conf_file = optarg;
	}
	proc_harden();
	crypto_init();
	log_init("stint-live", LOG_INFO_);
	return live_run(conf_file);
}
