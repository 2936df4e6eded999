#ifndef STINT_HTTP_CONN_H
#define STINT_HTTP_CONN_H
/*
 * One FastCGI connection at a time: accepted, judged, read through libfcgi, answered, closed. The only file
 * that includes libfcgi is conn.c.
 */
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "http/request.h"

struct conn; /* one per worker */

enum conn_result {
	CONN_REQUEST, /* params stand; the body can be read */
	CONN_REFUSED, /* c's stream is wrong: answer what conn_fault says */
	CONN_GONE,    /* nobody to answer: aborted, truncated or silent */
};

struct conn_fault {
	enum err err;
	const char *why; /* for the log, static */
};

struct conn *conn_new(void *mem, int listen_fd, size_t body_max);
/* Blocks until somebody connects. Returns false on a signal or a passing shortage. */
bool conn_accept(struct conn *c);
/* Reads until the stream is known to be good or bad. *give_up set by a signal handler ends the waiting. */
enum conn_result conn_start(struct conn *c, const volatile bool *give_up);
const struct conn_fault *conn_fault(const struct conn *c);
/* The parameters, each name once; values repeated for an HTTP header are joined. Below mem. */
enum err conn_params(struct conn *c, void *mem, struct pairs *out);
/* The whole body, which must be exactly len bytes. Below mem, NUL behind it. NULL: it is not that long. */
char *conn_body(struct conn *c, void *mem, size_t len);
/* Head and body in one write where the kernel takes it. Returns bytes of content sent, or 0 when the peer is gone. */
size_t conn_answer(struct conn *c, const struct buf *head, const char *body, size_t body_len);
void conn_close(struct conn *c);

#endif
