/* See fcgi_client.h. Nothing of src/http is used here, so that both cannot be wrong in the same way. */
#include "fcgi_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

#define WAIT_S 10
#define RECORD_MAX 65535

void fcgi_record(struct buf *out, int type, int id, const char *data, size_t len)
{
	const char head[8] = { 1, (char)type, (char)(id >> 8), (char)id, (char)(len >> 8), (char)len, 0, 0 };

	buf_add(out, head, sizeof(head));
	buf_add(out, data, len);
}

void fcgi_begin(struct buf *out)
{
	fcgi_record(out, FCGI_BEGIN, 1, "\0\1\0\0\0\0\0\0", 8);
}

static void add_length(struct buf *out, size_t len, bool wide)
{
	if (wide || len > 127)
		for (int shift = 24; shift > 0; shift -= 8)
			buf_putc(out, (char)((len >> shift) | (shift == 24 ? 0x80 : 0)));
	buf_putc(out, (char)len);
}

void fcgi_pair(struct buf *out, const char *name, size_t name_len, const char *value, size_t value_len, bool wide)
{
	add_length(out, name_len, wide);
	add_length(out, value_len, wide);
	buf_add(out, name, name_len);
	buf_add(out, value, value_len);
}

void fcgi_param(struct buf *out, const char *name, const char *value)
{
	fcgi_pair(out, name, strlen(name), value, strlen(value), false);
}

static void add_all(struct buf *out, int type, const char *data, size_t len)
{
	while (len) {
		size_t n = len < RECORD_MAX ? len : RECORD_MAX;

		fcgi_record(out, type, 1, data, n);
		data += n;
		len -= n;
	}
	fcgi_record(out, type, 1, "", 0);
}

void fcgi_stream(struct buf *out, const struct buf *pairs, const char *body, size_t len)
{
	fcgi_begin(out);
	add_all(out, FCGI_PARAMS, pairs->data, pairs->len);
	add_all(out, FCGI_STDIN, body, len);
}

void fcgi_request(struct buf *out, const char *method, const char *uri, const char *body)
{
	char length[32];
	struct buf pairs;

	buf_init(&pairs, out->mem);
	snprintf(length, sizeof(length), "%zu", strlen(body));
	fcgi_param(&pairs, "REQUEST_METHOD", method);
	fcgi_param(&pairs, "REQUEST_URI", uri);
	fcgi_param(&pairs, "CONTENT_LENGTH", *body ? length : "");
	fcgi_param(&pairs, "REMOTE_ADDR", "127.0.0.1");
	fcgi_stream(out, &pairs, body, strlen(body));
}

int fcgi_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval wait = { .tv_sec = WAIT_S };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(addr.sun_path))
		abort();
	memcpy(addr.sun_path, path, strlen(path));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

bool fcgi_send(int fd, const struct buf *stream)
{
	for (size_t at = 0; at < stream->len;) {
		ssize_t n = send(fd, stream->data + at, stream->len - at, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

/* What the records of an answer hold; unknown ones are a failure of the server. */
static void take_apart(struct reply *r, void *mem, const struct buf *raw)
{
	const unsigned char *p = (const unsigned char *)raw->data;
	size_t left = raw->len;
	struct buf out;
	char *end;

	buf_init(&out, mem);
	while (left >= 8) {
		size_t len = (size_t)p[4] << 8 | p[5], all = 8 + len + p[6];

		if (p[0] != 1 || all > left || r->answered)
			return;
		if (p[1] == FCGI_STDOUT)
			buf_add(&out, (const char *)p + 8, len);
		r->answered = p[1] == FCGI_END && left == all;
		p += all;
		left -= all;
	}
	end = memmem(out.data, out.len, "\r\n\r\n", 4);
	if (!end || sscanf(out.data, "Status: %d ", &r->status) != 1) {
		r->answered = false;
		return;
	}
	*end = '\0';
	r->head = out.data;
	r->body = end + 4;
	r->body_len = out.len - (size_t)(r->body - out.data);
}

struct reply fcgi_receive(void *mem, int fd)
{
	struct reply r = { .head = "", .body = "" };
	char chunk[16384];
	struct buf raw;
	ssize_t n;

	buf_init(&raw, mem);
	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		buf_add(&raw, chunk, (size_t)n);
	take_apart(&r, mem, &raw);
	return r;
}

struct reply fcgi_exchange(void *mem, const char *path, const struct buf *stream)
{
	struct reply r = { .head = "", .body = "" };
	int fd = fcgi_connect(path);

	if (fd < 0)
		return r;
	fcgi_send(fd, stream);
	r = fcgi_receive(mem, fd);
	close(fd);
	return r;
}

struct reply fcgi_get(void *mem, const char *path, const char *uri)
{
	struct buf stream;

	buf_init(&stream, mem);
	fcgi_request(&stream, "GET", uri, "");
	return fcgi_exchange(mem, path, &stream);
}
