/* See failpoint.h. */
#include "base/failpoint.h"

#ifndef STINT_SANITIZERS
typedef int failpoint_is_not_compiled; /* a file may not be empty */
#else
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

void fail_point(const char *name)
{
	static int64_t left = -1;
	const char *wanted = getenv("STINT_FAIL_POINT");
	size_t len = strlen(name);

	if (!wanted || strncmp(wanted, name, len) != 0 || (wanted[len] && wanted[len] != ':'))
		return;
	if (left < 0 && (!wanted[len] || !str_to_int(wanted + len + 1, 1, 1000000, &left)))
		left = 1;
	if (--left == 0 && getenv("STINT_FAIL_MARK") && open(getenv("STINT_FAIL_MARK"), O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0)
		kill(getpid(), SIGKILL);
}
#endif
