/*
 * What a process of ours does to itself before it touches a secret or a socket, and the word it has with systemd.
 */
#include "base/proc.h"

#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

/* A program started without standard descriptors would get a socket or a database as its stderr. */
static void open_stdio(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

void proc_harden(void)
{
	const struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };

	open_stdio();
	umask(027);
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		log_warn("core dumps could not be switched off", NULL);
#if !defined(STINT_SANITIZERS) && !defined(__SANITIZE_ADDRESS__)
	/* The leak checker traces its own process, which this forbids. */
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		log_warn("the process could not be made undumpable", NULL);
#endif
}

int proc_cores(void)
{
	cpu_set_t set;
	int cores;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	cores = CPU_COUNT(&set);
	return cores > 0 ? cores : 1;
}

/* Of no effect where it is forbidden, which is no reason not to work. */
void proc_yield(void)
{
	if (setpriority(PRIO_PROCESS, 0, 10) != 0)
		log_debug("the priority could not be lowered", NULL);
}

void proc_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (!len || len >= sizeof(addr.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(addr.sun_path, path, len);
	if (path[0] == '@')
		addr.sun_path[0] = '\0'; /* an abstract address */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&addr,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		log_warn("systemd could not be notified", "state", state, NULL);
	close(fd);
}

void proc_watchdog_init(struct proc_watchdog *w)
{
	const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t us, owner;

	*w = (struct proc_watchdog){ 0 };
	if (text && str_to_int(text, 1, INT64_MAX / 2, &us) &&
		(!pid || (str_to_int(pid, 1, INT32_MAX, &owner) && owner == getpid())))
		w->every_us = us / 2;
}

int64_t proc_watchdog_tell(struct proc_watchdog *w, int64_t now_us, int64_t next_us)
{
	if (!w->every_us)
		return next_us;
	if (now_us - w->told_us >= w->every_us) {
		w->told_us = now_us;
		proc_notify("WATCHDOG=1");
	}
	return next_us < w->told_us + w->every_us ? next_us : w->told_us + w->every_us;
}
