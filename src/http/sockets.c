/*
 * Listening sockets.
 *
 * systemd hands over descriptors with names; only those that carry a pool's name, and are listening unix sockets, are taken.
 * A socket of our own is made with mode 0660: whoever may write to it may say anything, so that is the web server's group
 * alone. A path where somebody answers is not stolen, one where nobody does is a dead server's and is replaced; a path that
 * is no socket is never touched.
 */
#include "http/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

#define BACKLOG 1024
#define FIRST_HANDED 3
#define SOCKET_MASK 0117 /* 0660 */

static bool fail(const char *name, const char *path, const char *why)
{
	log_error("no socket to listen on", "pool", name, "socket", path, "why", why, NULL);
	return false;
}

static bool is_listening_unix(int fd)
{
	int listening = 0, domain = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening &&
		getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

/* Which of the descriptors handed over has this name; -1 for none. */
static int handed(const char *name)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
	int64_t owner, count;

	if (!pid || !fds || !names || !str_to_int(pid, 1, INT32_MAX, &owner) || owner != getpid() ||
		!str_to_int(fds, 1, 1000, &count))
		return -1;
	for (int i = 0; i < (int)count; i++) {
		size_t len = strcspn(names, ":");

		if (len == strlen(name) && memcmp(names, name, len) == 0)
			return FIRST_HANDED + i;
		if (!names[len])
			return -1;
		names += len + 1;
	}
	return -1;
}

void listeners_forget_handed(void)
{
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

/* True when the path is free, or was a dead server's. */
static bool clear_path(const struct sockaddr_un *addr, const char *name)
{
	struct stat st;
	bool dead;
	int fd;

	if (lstat(addr->sun_path, &st) != 0)
		return errno == ENOENT || fail(name, addr->sun_path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return fail(name, addr->sun_path, "there is something else at this path; move it away");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(name, addr->sun_path, strerror(errno));
	/* Any other failure, a full queue for one, means that somebody is there. */
	dead = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0 && errno == ECONNREFUSED;
	close(fd);
	if (!dead)
		return fail(name, addr->sun_path, "another server is using it; stop that one first");
	if (unlink(addr->sun_path) != 0)
		return fail(name, addr->sun_path, strerror(errno));
	return true;
}

static bool make(struct listener *l, const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask;
	int ok;

	if (strlen(l->path) >= sizeof(addr.sun_path))
		return fail(name, l->path, "the path is longer than a socket's may be (107 bytes)");
	memcpy(addr.sun_path, l->path, strlen(l->path));
	if (!clear_path(&addr, name))
		return false;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return fail(name, l->path, strerror(errno));
	mask = umask(SOCKET_MASK);
	ok = bind(l->fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0;
	umask(mask);
	if (!ok || listen(l->fd, BACKLOG) != 0) {
		int saved = errno;

		close(l->fd);
		return fail(name, l->path, strerror(saved));
	}
	l->made = true;
	return true;
}

bool listener_open(struct listener *l, const char *name, const char *path)
{
	int fd = handed(name);

	*l = (struct listener){ .fd = fd, .path = path };
	if (fd < 0)
		return make(l, name);
	if (!is_listening_unix(fd))
		return fail(name, path, "what systemd handed over under this name is no listening unix socket");
	/* Accepting must block: the workers wait there. */
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0;
}

void listener_close(struct listener *l)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	close(l->fd);
	if (!l->made || lstat(l->path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	/* Somebody may have put another in its place meanwhile. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	memcpy(addr.sun_path, l->path, strlen(l->path));
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0)
		unlink(l->path);
	if (fd >= 0)
		close(fd);
}
