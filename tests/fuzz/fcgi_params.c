/*
 * Raw FastCGI streams. The judge says the same however the bytes come in, and what it lets through libfcgi reads without
 * harm and to the same end.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "fuzz.h"
#include "http/conn.h"
#include "http/parse.h"
#include "http/stream.h"

#define BODY_MAX ((size_t)1000)
#define SIZE_MAX_SENT ((size_t)100000) /* what a socket's buffer holds */

static struct stream_check judge(const uint8_t *data, size_t size, size_t piece)
{
	struct stream_check c;

	stream_check_init(&c, BODY_MAX);
	for (size_t at = 0; at < size && c.state < STREAM_DONE;) {
		size_t n = size - at < piece ? size - at : piece;

		at += stream_check_feed(&c, data + at, n);
	}
	return c;
}

static struct sockaddr_un address(socklen_t *len)
{
	static const char name[] = "stint-fuzz-fcgi"; /* abstract: no file is made */
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int n = snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "%s-%d", name, (int)getpid());

	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	return addr;
}

static struct conn *door(void)
{
	static struct conn *conn;
	struct sockaddr_un addr;
	socklen_t len;
	int fd;

	if (conn)
		return conn;
	addr = address(&len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FUZZ_HOLDS(bind(fd, (const struct sockaddr *)&addr, len) == 0 && listen(fd, 4) == 0);
	conn = conn_new(NULL, fd, BODY_MAX);
	return conn;
}

static int send_to_door(const uint8_t *data, size_t size)
{
	struct sockaddr_un addr;
	socklen_t len;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr = address(&len);
	FUZZ_HOLDS(connect(fd, (const struct sockaddr *)&addr, len) == 0);
	FUZZ_HOLDS(send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size);
	shutdown(fd, SHUT_WR);
	return fd;
}

static void read_request(struct conn *conn, void *mem, const struct stream_check *verdict)
{
	const char *why;
	struct request rq;
	size_t len;

	request_init(&rq, mem);
	if (conn_params(conn, mem, &rq.params) == OK) {
		FUZZ_HOLDS(rq.params.count <= STREAM_PARAMS_MAX);
		request_parse(&rq, BODY_MAX, &len, &why);
	}
	FUZZ_HOLDS(conn_body(conn, mem, verdict->body_len + 1) == NULL);
	FUZZ_HOLDS(conn_body(conn, mem, verdict->body_len) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream_check whole = judge(data, size, size + 1), bytes = judge(data, size, 1);
	static const volatile bool never = false;
	enum conn_result result;
	void *mem;
	int fd;

	FUZZ_HOLDS(whole.state == bytes.state && whole.why == bytes.why && whole.body_len == bytes.body_len);
	if (size > SIZE_MAX_SENT)
		return 0;
	mem = mem_root("fuzz");
	door();
	fd = send_to_door(data, size);
	FUZZ_HOLDS(conn_accept(door()));
	result = conn_start(door(), &never);
	FUZZ_HOLDS((result == CONN_REQUEST) == (whole.state == STREAM_DONE));
	FUZZ_HOLDS((result == CONN_REFUSED) == (whole.state == STREAM_BAD));
	if (result == CONN_REQUEST)
		read_request(door(), mem, &whole);
	conn_close(door());
	close(fd);
	mem_free(mem);
	return 0;
}
