/*
 * What stint-live costs: memory of idle WebSockets, the time an event takes to all watchers of an organization, and frames a
 * second against the floor, a bare epoll writer that sends the same bytes to the same receivers and does nothing else.
 *
 * usage: live SOCKET REDIS-SOCKET PID CLIENTS EVENTS ROUNDS
 *
 * Writes the tickets and the events itself, as stint-web and the sealer do, and prints one JSON object. Receivers are in this
 * process and share the machine with what is measured, in both cases alike.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "crypto/crypto.h"
#include "live/frame.h"
#include "live/ticket.h"

#define FIRST 1000 /* positions of four digits, so that all frames are of one length */
#define READ_MAX 65536
#define BATCH 256

struct receiver {
	int fd;
	size_t bytes; /* behind the greeting */
};

struct bench {
	const char *socket;
	redisContext *redis;
	char organization[UUID_TEXT], row[UUID_TEXT];
	int count, epoll;
	struct receiver *receivers;
	int64_t position;
	size_t frame_len;
};

static void die(const char *what)
{
	fprintf(stderr, "live: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static int dial(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path, path, strnlen(path, sizeof(addr.sun_path) - 1));
	while (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0)
		if (errno != EAGAIN)
			die("connect");
	return fd;
}

static void watch(struct bench *b, int i, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = (uint32_t)i };

	b->receivers[i] = (struct receiver){ .fd = fd };
	if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, fd, &ev) != 0)
		die("epoll_ctl");
}

static void redis_do(struct bench *b, int n)
{
	for (int i = 0; i < n; i++) {
		redisReply *reply = NULL;

		if (redisGetReply(b->redis, (void **)&reply) != REDIS_OK || reply->type == REDIS_REPLY_ERROR)
			die("redis");
		freeReplyObject(reply);
	}
}

/* A ticket for somebody of the organization, and the socket it opens, up to its greeting. */
static int enter(struct bench *b, void *mem)
{
	char member[UUID_TEXT], credential[UUID_TEXT], head[1024];
	const char *ticket = token_new(mem, "");
	size_t got = 0;
	int fd, len;

	uuid_v7(member);
	uuid_v7(credential);
	redisAppendCommand(b->redis, "SET %s %s EX 30", ticket_key(mem, ticket),
		mem_printf(mem, "{\"organization\":\"%s\",\"member\":\"%s\",\"credential\":\"%s\",\"expires_at\":%lld,\"position\":%d,"
				"\"topics\":[\"organization\"]}",
			b->organization, member, credential, (long long)(clock_now_us() / 1000000 + 86400), FIRST - 1));
	redis_do(b, 1);
	fd = dial(b->socket);
	len = snprintf(head, sizeof(head), "GET /live?ticket=%s&since=%lld HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
					   "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
		ticket, (long long)b->position - 1);
	if (write(fd, head, (size_t)len) != len)
		die("write");
	while (got < sizeof(head) - 1 && !(got && memmem(head, got, "\"hello\":1}", 10))) {
		ssize_t n = read(fd, head + got, sizeof(head) - 1 - got);

		if (n <= 0)
			die("no greeting");
		got += (size_t)n;
	}
	return fd;
}

/* Reads until each receiver has as many frames more; took (when given) gets how long each waited. */
static void receive(struct bench *b, int frames, int64_t began_us, int64_t *took)
{
	static char data[READ_MAX];
	struct epoll_event ready[BATCH];
	size_t wanted = (size_t)frames * b->frame_len;
	int left = b->count;

	for (int i = 0; i < b->count; i++)
		b->receivers[i].bytes = 0;
	while (left) {
		int n = epoll_wait(b->epoll, ready, BATCH, 30000);

		if (n <= 0)
			die("a receiver waits for ever");
		for (int i = 0; i < n; i++) {
			struct receiver *r = &b->receivers[ready[i].data.u32];
			ssize_t got = recv(r->fd, data, sizeof(data), MSG_DONTWAIT);

			if (got == 2 && (unsigned char)data[0] == 0x89)
				continue; /* a ping */
			if (got <= 0)
				die("a receiver was cut off");
			r->bytes += (size_t)got;
			if (r->bytes < wanted || r->bytes - (size_t)got >= wanted)
				continue;
			if (took)
				took[ready[i].data.u32] = clock_monotonic_us() - began_us;
			left--;
		}
	}
}

static void add_events(struct bench *b, int n)
{
	for (int i = 0; i < n; i++)
		redisAppendCommand(b->redis, "XADD live:%s %lld-0 noun time_entry id %s topic organization", b->organization,
			(long long)b->position++, b->row);
	redis_do(b, n);
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t memory_kb(int pid, const char *field)
{
	char path[64], line[256];
	long long kb, sum = 0;
	size_t len = strlen(field);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, field, len) == 0 && sscanf(strchr(line, ':') + 1, "%lld", &kb) == 1)
			sum += kb;
	if (f)
		fclose(f);
	return sum;
}

/* --- the floor */

static void bare_write(int epoll, const int *fds, int count, int frames, const struct frame *f)
{
	struct epoll_event ev;
	char order;

	for (;;) {
		if (epoll_wait(epoll, &ev, 1, -1) != 1 || read(ev.data.fd, &order, 1) != 1)
			_exit(0);
		for (int i = 0; i < frames; i++)
			for (int k = 0; k < count; k++)
				if (send(fds[k], f->data, f->len, MSG_NOSIGNAL) != (ssize_t)f->len)
					_exit(1);
	}
}

static pid_t bare_start(struct bench *b, const char *path, int frames, const struct frame *f, int *order)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct epoll_event ev = { .events = EPOLLIN };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), pipes[2], epoll = epoll_create1(0);
	int *fds = mem_array(NULL, int, (size_t)b->count);
	pid_t pid;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	unlink(path);
	if (bind(listener, (const struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(listener, 1024) != 0 || pipe(pipes) != 0)
		die("the floor's socket");
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < b->count; i++)
			fds[i] = accept(listener, NULL, NULL);
		ev.data.fd = pipes[0];
		close(pipes[1]);
		epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0], &ev);
		bare_write(epoll, fds, b->count, frames, f);
	}
	close(pipes[0]);
	*order = pipes[1];
	for (int i = 0; i < b->count; i++)
		watch(b, i, dial(path));
	close(listener);
	unlink(path);
	mem_free(fds);
	return pid;
}

static void hang_up(struct bench *b)
{
	for (int i = 0; i < b->count; i++)
		close(b->receivers[i].fd);
}

/* --- */

static int64_t median(int64_t *all, int n)
{
	qsort(all, (size_t)n, sizeof(*all), by_size);
	return all[n / 2];
}

static void measure(struct bench *b, void *mem, int pid, int events, int rounds)
{
	int64_t *took = mem_array(mem, int64_t, (size_t)b->count * (size_t)events);
	int64_t *live = mem_array(mem, int64_t, (size_t)rounds), *bare = mem_array(mem, int64_t, (size_t)rounds);
	int64_t before_kb = memory_kb(pid, "Private_"), began_us, private_kb, pss_kb;
	char text[EVENT_TEXT_MAX], path[64];
	struct event_row e = { .position = FIRST, .everybody = true, .noun = "time_entry" };
	struct frame *f;
	int order;
	pid_t child;

	id_read(b->row, &e.row);
	f = frame_new(FRAME_TEXT, text, event_write(&e, text));
	b->frame_len = f->len;
	began_us = clock_monotonic_us();
	for (int i = 0; i < b->count; i++)
		watch(b, i, enter(b, mem));
	began_us = clock_monotonic_us() - began_us;
	sleep(1);
	private_kb = memory_kb(pid, "Private_");
	pss_kb = memory_kb(pid, "Pss:");
	for (int i = 0; i < events; i++) {
		int64_t at_us = clock_monotonic_us();

		add_events(b, 1);
		receive(b, 1, at_us, took + (size_t)i * (size_t)b->count);
	}
	for (int r = 0; r < rounds; r++) {
		int64_t at_us = clock_monotonic_us();

		add_events(b, events);
		receive(b, events, at_us, NULL);
		live[r] = clock_monotonic_us() - at_us;
	}
	hang_up(b);
	close(b->epoll);
	b->epoll = epoll_create1(0);
	snprintf(path, sizeof(path), "/tmp/stint-bench-live-%d.sock", (int)getpid());
	child = bare_start(b, path, events, f, &order);
	for (int r = 0; r < rounds; r++) {
		int64_t at_us = clock_monotonic_us();

		if (write(order, "x", 1) != 1)
			die("the floor is gone");
		receive(b, events, at_us, NULL);
		bare[r] = clock_monotonic_us() - at_us;
	}
	close(order);
	waitpid(child, NULL, 0);
	qsort(took, (size_t)b->count * (size_t)events, sizeof(*took), by_size);
	printf("{\"clients\":%d,\"handshakes_per_s\":%.0f,\"private_kb_before\":%lld,\"private_kb\":%lld,\"pss_kb\":%lld,"
	       "\"fanout_p50_ms\":%.1f,\"fanout_p99_ms\":%.1f,\"frames_per_s\":%.0f,\"bare_frames_per_s\":%.0f,\"ratio\":%.2f}\n",
		b->count, (double)b->count / ((double)began_us / 1e6), (long long)before_kb, (long long)private_kb, (long long)pss_kb,
		(double)took[(size_t)b->count * (size_t)events / 2] / 1e3,
		(double)took[(size_t)b->count * (size_t)events * 99 / 100] / 1e3,
		(double)b->count * events / ((double)median(live, rounds) / 1e6),
		(double)b->count * events / ((double)median(bare, rounds) / 1e6), (double)median(bare, rounds) / (double)median(live, rounds));
	frame_put(f);
}

int main(int argc, char **argv)
{
	struct bench b = { .position = FIRST, .epoll = epoll_create1(0) };
	int64_t pid, clients, events, rounds;
	struct rlimit files;
	void *mem;

	if (argc != 7 || !str_to_int(argv[3], 1, INT32_MAX, &pid) || !str_to_int(argv[4], 1, 100000, &clients) ||
		!str_to_int(argv[5], 1, 400, &events) || !str_to_int(argv[6], 1, 20, &rounds)) {
		fputs("usage: live SOCKET REDIS-SOCKET PID CLIENTS EVENTS ROUNDS\n", stderr);
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	crypto_init();
	mem = mem_root("bench");
	b.socket = argv[1];
	b.redis = redisConnectUnix(argv[2]);
	if (!b.redis || b.redis->err)
		die("redis");
	b.count = (int)clients;
	b.receivers = mem_array(mem, struct receiver, (size_t)clients);
	uuid_v7(b.organization);
	uuid_v7(b.row);
	measure(&b, mem, (int)pid, (int)events, (int)rounds);
	redisFree(b.redis);
	mem_free(mem);
	return 0;
}
