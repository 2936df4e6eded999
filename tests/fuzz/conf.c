/* Any file is read or refused with words that do not give the secret away. */
#include "base/conf.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "fuzz.h"

#define SECRET "Zk3vT9qLw8XbN2rYp7MfHc5DjGs1AuEo"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *mem = talloc_new(NULL);
	/* Who writes the secret in a place of its own has given it away before us. */
	bool given_away = memmem(data, size, SECRET, strlen(SECRET)) != NULL;
	int fd = memfd_create("conf", MFD_CLOEXEC);
	const struct conf *conf;
	const char *why = NULL;

	setenv("STINT_SECRET_KEY", SECRET, 1);
	FUZZ_HOLDS(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	conf = conf_load(mem, mem_printf(mem, "/proc/self/fd/%d", fd), &why);
	FUZZ_HOLDS((conf == NULL) == (why != NULL));
	FUZZ_HOLDS(!conf || strcmp(conf->secret_key, SECRET) == 0);
	FUZZ_HOLDS(!why || given_away || !strstr(why, SECRET));
	close(fd);
	mem_free(mem);
	return 0;
}
