/* See net_server.h. One connection at a time: what is tested asks one after the other. */
#include "net_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 65536
#define NAMES_MAX 8

/* --- names */

static struct {
	const char *name, *addresses;
	int asked;
} names[NAMES_MAX];

static int slot(const char *name)
{
	for (int i = 0; i < NAMES_MAX; i++) {
		if (!names[i].name || strcmp(names[i].name, name) == 0)
			return i;
	}
	ck_abort_msg("too many names");
}

void net_name(const char *name, const char *addresses)
{
	int i = slot(name);

	names[i].name = name;
	names[i].addresses = addresses;
	names[i].asked = 0;
}

int net_name_asked(const char *name)
{
	return names[slot(name)].asked;
}

typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int numbers_only(const char *node, const char *service, const struct addrinfo *hints,
	struct addrinfo **out)
{
	static resolver *libc;
	struct addrinfo numeric = hints ? *hints : (struct addrinfo){ 0 };

	if (!libc)
		*(void **)&libc = dlsym(RTLD_NEXT, "getaddrinfo");
	if (!node || strcasecmp(node, "localhost") != 0)
		numeric.ai_flags |= AI_NUMERICHOST;
	return libc(node, service, &numeric, out);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	struct addrinfo any = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, **tail = out;
	const char *at;
	int i = node ? slot(node) : 0;

	if (!node || !names[i].name)
		return numbers_only(node, service, hints, out);
	at = names[i].addresses;
	for (int turn = names[i].asked++; turn > 0 && strchr(at, '|'); turn--)
		at = strchr(at, '|') + 1;
	*out = NULL;
	for (;; at++) {
		char one[64];
		size_t len = strcspn(at, ",|");

		snprintf(one, sizeof one, "%.*s", (int)len, at);
		ck_assert_int_eq(numbers_only(one, service, &any, tail), 0);
		while (*tail)
			tail = &(*tail)->ai_next;
		at += len;
		if (*at != ',')
			return 0;
	}
}

/* --- the server */

static void say(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

static void wait_for_end(int fd)
{
	char c;

	while (read(fd, &c, 1) > 0)
		;
}

static void endless(int fd)
{
	char block[4097];

	memset(block, 'x', sizeof block - 1);
	block[sizeof block - 1] = '\0';
	say(fd, "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i < 4096; i++)
		say(fd, block);
}

static void many_headers(int fd)
{
	say(fd, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 4096; i++)
		say(fd, "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
	say(fd, "\r\n");
}

/* /redirect/308?LOCATION */
static void redirect(int fd, const char *path)
{
	char head[REQUEST_MAX];
	size_t len = strcspn(strchr(path, '?') + 1, " ");

	snprintf(head, sizeof head,
		"HTTP/1.1 %.3s Moved\r\nLocation: %.*s\r\nContent-Length: 5\r\n\r\nmoved",
		path + 10, (int)len, strchr(path, '?') + 1);
	say(fd, head);
}

static void echo(int fd, const char *request, size_t len)
{
	char head[100];

	snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
	say(fd, head);
	if (send(fd, request, len, MSG_NOSIGNAL) < 0)
		return;
}

static void answer(int fd, const char *request, size_t len)
{
	const char *path = strchr(request, ' ') ? strchr(request, ' ') + 1 : "";

	if (strncmp(path, "/ok ", 4) == 0)
		say(fd,
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Twice: a\r\nx-twice:  b \r\nContent-Length: 2\r\n\r\nhi");
	else if (strncmp(path, "/gone ", 6) == 0)
		say(fd, "HTTP/1.1 410 Gone\r\nRetry-After: 120\r\nContent-Length: 4\r\n\r\ngone");
	else if (strncmp(path, "/chunked ", 9) == 0)
		say(fd,
			"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\n"
			"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
	else if (strncmp(path, "/cookie ", 8) == 0)
		say(fd,
			"HTTP/1.1 302 Found\r\nSet-Cookie: a=b; Path=/\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n");
	else if (strncmp(path, "/redirect/", 10) == 0 && strchr(path, '?'))
		redirect(fd, path);
	else if (strncmp(path, "/loop ", 6) == 0)
		say(fd, "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
	else if (strncmp(path, "/endless ", 9) == 0)
		endless(fd);
	else if (strncmp(path, "/headers ", 9) == 0)
		many_headers(fd);
	else if (strncmp(path, "/never ", 7) == 0)
		wait_for_end(fd);
	else if (strncmp(path, "/garbage ", 9) == 0)
		say(fd, "220 mail.example.org ESMTP\r\n");
	else if (strncmp(path, "/cut ", 5) == 0)
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
	else if (strncmp(path, "/nothing ", 9) != 0)
		echo(fd, request, len);
}

static void serve(int fd, struct net_counts *counts)
{
	char request[REQUEST_MAX + 1];
	size_t len = 0, whole = REQUEST_MAX;
	ssize_t n;

	while (len < whole && (n = read(fd, request + len, REQUEST_MAX - len)) > 0) {
		const char *end, *length;

		len += (size_t)n;
		request[len] = '\0';
		if (request[0] == 0x16) { /* TLS is greeted in plain text */
			say(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
			len = 0;
			break;
		}
		end = strstr(request, "\r\n\r\n");
		length = strcasestr(request, "\r\ncontent-length:");
		if (end)
			whole = (size_t)(end - request) + 4 + (length && length < end
				? strtoul(length + 17, NULL, 10) : 0);
	}
	if (len) {
		counts->requests++;
		answer(fd, request, len);
	}
	shutdown(fd, SHUT_WR);
	close(fd);
}

static bool at_stand_in(int fd)
{
	struct sockaddr_storage here = { 0 };
	socklen_t len = sizeof here;
	char text[INET6_ADDRSTRLEN] = "";

	getsockname(fd, (struct sockaddr *)&here, &len);
	if (here.ss_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)&here)->sin_addr, text, sizeof text);
	return strcmp(text, STAND_IN) == 0;
}

static void run(struct pollfd *doors, nfds_t count, struct net_counts *counts)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (poll(doors, count, -1) > 0) {
		for (nfds_t i = 0; i < count; i++) {
			int fd = doors[i].revents & POLLIN ? accept(doors[i].fd, NULL, NULL) : -1;

			if (fd < 0)
				continue;
			if (at_stand_in(fd))
				counts->at_stand_in++;
			else
				counts->inside++;
			serve(fd, counts);
		}
	}
	_exit(1);
}

static int listen_at(const struct sockaddr *address, socklen_t len)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	ck_assert_int_ge(fd, 0);
	if (address->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	ck_assert_int_eq(bind(fd, address, len), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	return fd;
}

struct net_server net_server_start(void)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof v4;
	struct net_server server = { .counts = mmap(NULL, sizeof(struct net_counts),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) };
	struct pollfd doors[2] = { { .events = POLLIN }, { .events = POLLIN } };
	bool has_v6 = access("/proc/net/if_inet6", F_OK) == 0;

	doors[0].fd = listen_at((struct sockaddr *)&v4, sizeof v4);
	getsockname(doors[0].fd, (struct sockaddr *)&v4, &len);
	v6.sin6_port = v4.sin_port;
	doors[1].fd = has_v6 ? listen_at((struct sockaddr *)&v6, sizeof v6) : -1;
	server.port = ntohs(v4.sin_port);
	server.pid = fork();
	ck_assert_int_ge(server.pid, 0);
	if (!server.pid)
		run(doors, has_v6 ? 2 : 1, server.counts);
	close(doors[0].fd);
	if (has_v6)
		close(doors[1].fd);
	return server;
}
