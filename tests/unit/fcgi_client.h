#ifndef STINT_FCGI_CLIENT_H
#define STINT_FCGI_CLIENT_H
/*
 * A FastCGI client small enough to be trusted, for tests: it builds streams record by record, right or wrong, sends them
 * to a socket and takes the answer apart.
 */
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"

enum { FCGI_BEGIN = 1,
	FCGI_ABORT = 2,
	FCGI_END = 3,
	FCGI_PARAMS = 4,
	FCGI_STDIN = 5,
	FCGI_STDOUT = 6,
	FCGI_GET_VALUES = 9 };

struct reply {
	bool answered; /* END_REQUEST came */
	int status;
	const char *head; /* up to the empty line */
	const char *body;
	size_t body_len;
};

void fcgi_record(struct buf *out, int type, int id, const char *data, size_t len);
void fcgi_begin(struct buf *out);
/* One pair, as it stands in PARAMS; lengths in four bytes when `wide`. */
void fcgi_pair(struct buf *out, const char *name, size_t name_len, const char *value, size_t value_len, bool wide);
void fcgi_param(struct buf *out, const char *name, const char *value);
/* A whole stream: pairs as fcgi_pair made them, and a body. */
void fcgi_stream(struct buf *out, const struct buf *pairs, const char *body, size_t len);
/* A whole stream for a plain request. */
void fcgi_request(struct buf *out, const char *method, const char *uri, const char *body);

int fcgi_connect(const char *path); /* -1 */
bool fcgi_send(int fd, const struct buf *stream);
struct reply fcgi_receive(void *mem, int fd);
/* All of it: connect, send, receive, close. */
struct reply fcgi_exchange(void *mem, const char *path, const struct buf *stream);
struct reply fcgi_get(void *mem, const char *path, const char *uri);

#endif
