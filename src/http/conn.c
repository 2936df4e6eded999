/*
 * The door to libfcgi, and the only file that includes it.
 *
 * libfcgi reads: FCGX_Accept_r takes the parameters of a connection and its stream gives the body. What it does less well
 * stands here instead, each for a reason that was measured:
 *   - accepting. Its accept waits for the first byte in a select() that any signal ends by dropping the connection, so a
 *     worker told to leave at that moment would fail a request. Here a signal can only end the waiting for somebody.
 *   - believing. It overruns its stack on some streams (see stream.c), so the stream is judged first: nearly always the whole
 *     request lies in the socket's buffer already and one look (MSG_PEEK) is enough. A request that is too long for that, or
 *     comes in pieces, is read here and handed over from a file in memory.
 *   - writing. Its writer sends 8 KiB at a time and then lingers until the peer hangs up, in four more system calls. Here
 *     the answer is one writev, and closing a unix socket whose request was read to its end loses nothing.
 *
 * FCGX_Request's ipcFd, which its header asks to leave alone, is how a connection is handed over; tests hold that.
 */
#include "http/conn.h"

#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/stream.h"

#define PEEK_BYTES ((size_t)64 * 1024)
#define LINGER_MS 1000
#define LINGER_BYTES ((size_t)8 * 1024 * 1024)
/* A record holds at most 65535 bytes; a multiple of eight needs no padding. */
#define RECORD_BYTES ((size_t)65528)
#define RECORDS_AT_ONCE 16
#define RECORD_HEAD 8

enum { TYPE_END = 3,
	TYPE_STDOUT = 6 };

struct conn {
	int listen_fd, fd;
	int spool; /* file in memory, or -1 */
	bool open; /* libfcgi holds a request */
	bool spooled;
	size_t body_max;
	FCGX_Request fcgi;
	struct stream_check check;
	struct conn_fault fault;
	unsigned char peek[PEEK_BYTES];
};

struct conn *conn_new(void *mem, int listen_fd, size_t body_max)
{
	struct conn *c = mem_new(mem, struct conn);

	FCGX_Init();
	c->listen_fd = listen_fd;
	c->body_max = body_max;
	c->fd = c->spool = -1;
	/* It never accepts by itself: without a connection of ours it fails with EBADF. */
	FCGX_InitRequest(&c->fcgi, -1, FCGI_FAIL_ACCEPT_ON_INTR);
	return c;
}

bool conn_accept(struct conn *c)
{
	c->fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (c->fd >= 0)
		return true;
	if (errno != EINTR && errno != EAGAIN && errno != ECONNABORTED) {
		log_error("accept failed", "why", strerror(errno), NULL);
		poll(NULL, 0, 50); /* out of descriptors or memory: not in a tight loop */
	}
	return false;
}

/* Blocks for bytes; a signal is no end unless it says so. */
static ssize_t take(struct conn *c, int flags, const volatile bool *give_up)
{
	ssize_t n;

	do {
		n = recv(c->fd, c->peek, sizeof(c->peek), flags);
	} while (n < 0 && errno == EINTR && !*give_up);
	return n;
}

static enum conn_result gone(struct conn *c, const char *why)
{
	c->fault = (struct conn_fault){ .err = ERR_MALFORMED, .why = why };
	return CONN_GONE;
}

static enum conn_result wrong(struct conn *c)
{
	if (c->check.state == STREAM_ABORTED)
		return gone(c, "aborted by the web server");
	c->fault = (struct conn_fault){ .err = c->check.err, .why = c->check.why };
	return CONN_REFUSED;
}

static bool spool_add(struct conn *c, const unsigned char *data, size_t len)
{
	while (len) {
		ssize_t n = write(c->spool, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* The long way: the request is read to its end into a file in memory. */
static enum conn_result spool(struct conn *c, const volatile bool *give_up)
{
	if (c->spool < 0)
		c->spool = memfd_create("stint-request", MFD_CLOEXEC);
	if (c->spool < 0)
		return gone(c, "no memory file for the request");
	c->spooled = true;
	stream_check_init(&c->check, c->body_max);
	while (c->check.state < STREAM_DONE) {
		ssize_t n = take(c, 0, give_up);

		if (n < 0)
			return gone(c, *give_up ? "the request did not come to its end in time" : strerror(errno));
		if (n == 0)
			return gone(c, c->check.seen ? "the request ends in its middle" : "nothing was sent");
		stream_check_feed(&c->check, c->peek, (size_t)n);
		if (!spool_add(c, c->peek, (size_t)n))
			return gone(c, "the request could not be kept");
	}
	if (c->check.state != STREAM_DONE)
		return wrong(c);
	lseek(c->spool, 0, SEEK_SET);
	return CONN_REQUEST;
}

/* Hands a judged stream to libfcgi. */
static enum conn_result hand_over(struct conn *c)
{
	c->fcgi.ipcFd = c->spooled ? c->spool : c->fd;
	c->fcgi.keepConnection = 1; /* or it would close what we have just given it */
	if (FCGX_Accept_r(&c->fcgi) == 0) {
		c->open = true;
		return CONN_REQUEST;
	}
	/* It closed the descriptor. */
	if (c->spooled)
		c->spool = -1;
	else
		c->fd = -1;
	c->spooled = false;
	return gone(c, "libfcgi refused the stream");
}

enum conn_result conn_start(struct conn *c, const volatile bool *give_up)
{
	enum conn_result result;
	ssize_t n;

	stream_check_init(&c->check, c->body_max);
	n = take(c, MSG_PEEK, give_up);
	if (n < 0)
		return gone(c, *give_up ? "nothing was sent in time" : strerror(errno));
	if (n == 0)
		return gone(c, "nothing was sent");
	stream_check_feed(&c->check, c->peek, (size_t)n);
	if (c->check.state > STREAM_DONE)
		return wrong(c);
	if (c->check.state < STREAM_DONE) {
		result = spool(c, give_up);
		if (result != CONN_REQUEST)
			return result;
	}
	return hand_over(c);
}

const struct conn_fault *conn_fault(const struct conn *c)
{
	return &c->fault;
}

static struct pair *pair_of(const struct pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].name, name) == 0)
			return &pairs->items[i];
	return NULL;
}

/* `text` is "NAME=value" and ours to cut. */
static enum err add_param(void *mem, struct pairs *out, char *text)
{
	char *value = strchr(text, '=');
	struct pair *twin;

	if (!value)
		return ERR_MALFORMED;
	*value++ = '\0';
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return ERR_MALFORMED;
	if (!str_is_utf8(value, strlen(value)))
		return ERR_ENCODING;
	twin = pair_of(out, text);
	if (!twin)
		out->items[out->count++] = (struct pair){ .name = text, .value = value };
	else if (str_starts(text, "HTTP_"))
		twin->value = mem_printf(mem, str_eq(text, "HTTP_COOKIE") ? "%s; %s" : "%s, %s", twin->value, value);
	else
		return ERR_MALFORMED;
	return OK;
}

enum err conn_params(struct conn *c, void *mem, struct pairs *out)
{
	size_t count = 0, bytes = 0, at = 0;
	enum err e = OK;
	char *text;

	for (char **p = c->fcgi.envp; *p; p++) {
		bytes += strlen(*p) + 1;
		count++;
	}
	text = mem_array(mem, char, bytes);
	*out = (struct pairs){ .items = mem_array(mem, struct pair, count) };
	/* The first is libfcgi's own FCGI_ROLE. */
	for (size_t i = 1; i < count && e == OK; i++) {
		size_t len = strlen(c->fcgi.envp[i]) + 1;

		memcpy(text + at, c->fcgi.envp[i], len);
		e = add_param(mem, out, text + at);
		at += len;
	}
	return e;
}

char *conn_body(struct conn *c, void *mem, size_t len)
{
	char *body;

	if (len != c->check.body_len)
		return NULL;
	body = mem_array(mem, char, len + 1);
	if (len && FCGX_GetStr(body, (int)len, c->fcgi.in) != (int)len)
		return NULL;
	return FCGX_GetChar(c->fcgi.in) == EOF && FCGX_GetError(c->fcgi.in) == 0 ? body : NULL;
}

static bool send_all(int fd, struct iovec *iov, int count)
{
	while (count) {
		ssize_t n = writev(fd, iov, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		while (count && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			count--;
		}
		if (count) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return true;
}

static void record_head(const struct conn *c, unsigned char *out, unsigned char type, size_t len)
{
	const unsigned char head[RECORD_HEAD] = {
		1,
		type,
		(unsigned char)(c->check.request_id >> 8),
		(unsigned char)c->check.request_id,
		(unsigned char)(len >> 8),
		(unsigned char)len,
		0,
		0,
	};

	memcpy(out, head, sizeof(head));
}

struct answer {
	struct iovec parts[2]; /* what of head and body is still to be sent */
	struct iovec iov[RECORDS_AT_ONCE * 3 + 1];
	unsigned char heads[RECORDS_AT_ONCE][RECORD_HEAD];
	int used, records;
};

/* Puts up to a record's worth of the rest behind its head. */
static void add_record(const struct conn *c, struct answer *a)
{
	size_t room = RECORD_BYTES, len = 0;
	unsigned char *head = a->heads[a->records++];

	a->iov[a->used++] = (struct iovec){ .iov_base = head, .iov_len = RECORD_HEAD };
	for (int i = 0; i < 2; i++) {
		size_t n = a->parts[i].iov_len < room ? a->parts[i].iov_len : room;

		if (!n)
			continue;
		a->iov[a->used++] = (struct iovec){ .iov_base = a->parts[i].iov_base, .iov_len = n };
		a->parts[i].iov_base = (char *)a->parts[i].iov_base + n;
		a->parts[i].iov_len -= n;
		room -= n;
		len += n;
	}
	record_head(c, head, TYPE_STDOUT, len);
}

size_t conn_answer(struct conn *c, const struct buf *head, const char *body, size_t body_len)
{
	unsigned char end[RECORD_HEAD * 3] = { 0 };
	struct answer a;
	bool last;

	if (c->fd < 0 || !c->check.request_id)
		return 0;
	record_head(c, end, TYPE_STDOUT, 0);
	record_head(c, end + RECORD_HEAD, TYPE_END, RECORD_HEAD);
	a.parts[0] = (struct iovec){ .iov_base = head->data, .iov_len = head->len };
	a.parts[1] = (struct iovec){ .iov_base = (void *)(uintptr_t)body, .iov_len = body_len };
	do {
		a.used = a.records = 0;
		while (a.records < RECORDS_AT_ONCE && a.parts[0].iov_len + a.parts[1].iov_len)
			add_record(c, &a);
		last = a.parts[0].iov_len + a.parts[1].iov_len == 0;
		if (last)
			a.iov[a.used++] = (struct iovec){ .iov_base = end, .iov_len = sizeof(end) };
		if (!send_all(c->fd, a.iov, a.used))
			return 0;
	} while (!last);
	return head->len + body_len;
}

/* A peer that is still writing would lose our answer when we closed: read on for a while. */
static void linger(struct conn *c)
{
	int64_t until_us = clock_monotonic_us() + (int64_t)LINGER_MS * 1000;
	struct pollfd peer = { .fd = c->fd, .events = POLLIN };
	size_t taken = 0;

	if (shutdown(c->fd, SHUT_WR) != 0)
		return;
	while (taken < LINGER_BYTES) {
		int64_t left_ms = (until_us - clock_monotonic_us()) / 1000;
		ssize_t n;

		if (left_ms <= 0 || poll(&peer, 1, (int)left_ms) <= 0)
			return;
		n = recv(c->fd, c->peek, sizeof(c->peek), 0);
		if (n <= 0)
			return;
		taken += (size_t)n;
	}
}

void conn_close(struct conn *c)
{
	if (c->open)
		FCGX_Free(&c->fcgi, 0);
	c->open = false;
	if (c->spooled) {
		/* The memory goes, the file stays for the next one. */
		if (ftruncate(c->spool, 0) == 0)
			lseek(c->spool, 0, SEEK_SET);
		c->spooled = false;
	}
	if (c->fd < 0)
		return;
	if (c->check.state != STREAM_DONE && c->check.request_id)
		linger(c);
	close(c->fd);
	c->fd = -1;
}
