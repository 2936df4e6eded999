#ifndef STINT_UNIT_PROXY_H
#define STINT_UNIT_PROXY_H
/*
 * A go-between on a unix socket, in a process of its own, that fails on command: for what happens
 * to a client when its server is away, hangs, or dies at the worst moment. One client at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"
#include "base/mem.h"

enum proxy_fault {
	PROXY_WELL,
	PROXY_CUT_ANSWER,   /* once: the question goes through, its answer does not */
	PROXY_CUT_QUESTION, /* once: cut at the next question, which does not go through */
	PROXY_CUT_NOW,      /* once: cut within 20 ms, whether or not anybody speaks */
	PROXY_MUTE,         /* accepts and never says a word */
	PROXY_REFUSE,       /* hangs up at once */
};

struct proxy {
	volatile int *fault;  /* shared with the process */
	volatile int *served; /* connections so far */
	const char *path;
	pid_t pid;
};

static inline int proxy_dial(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Moves what there is; false when the pair is to be cut. */
static inline bool proxy_move(struct proxy *p, int from, int to, bool question)
{
	static char data[65536];
	ssize_t n = read(from, data, sizeof(data));

	if (n <= 0)
		return false;
	if (question && *p->fault == PROXY_CUT_QUESTION) {
		*p->fault = PROXY_WELL;
		return false;
	}
	if (!question && *p->fault == PROXY_CUT_ANSWER) {
		*p->fault = PROXY_WELL;
		return false;
	}
	for (ssize_t at = 0; at < n && *p->fault != PROXY_MUTE;) {
		ssize_t w = write(to, data + at, (size_t)(n - at));

		if (w <= 0)
			return false;
		at += w;
	}
	return true;
}

static inline void proxy_serve(struct proxy *p, int client, const char *server_path)
{
	int server = *p->fault == PROXY_REFUSE ? -1 : proxy_dial(server_path);
	struct pollfd fds[2] = { { .fd = client, .events = POLLIN },
		{ .fd = server, .events = POLLIN } };

	*p->served += 1;
	while (server >= 0 && poll(fds, 2, 20) >= 0) {
		if (*p->fault == PROXY_REFUSE)
			break;
		if (*p->fault == PROXY_CUT_NOW) {
			*p->fault = PROXY_WELL;
			break;
		}
		if (fds[0].revents && !proxy_move(p, client, server, true))
			break;
		if (fds[1].revents && !proxy_move(p, server, client, false))
			break;
	}
	close(server);
	close(client);
}

/* Listens at path and speaks to server_path until the test ends. */
static inline struct proxy *proxy_start(const char *path, const char *server_path)
{
	struct proxy *p = mem_new(unit_mem, struct proxy);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_ptr_ne(shared, MAP_FAILED);
	p->fault = shared;
	p->served = shared + 1;
	p->path = mem_strdup(p, path);
	unlink(path);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	p->pid = fork();
	if (p->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		for (;;)
			proxy_serve(p, accept(fd, NULL, NULL), server_path);
	}
	close(fd);
	return p;
}

static inline void proxy_stop(struct proxy *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	unlink(p->path);
}

#endif
