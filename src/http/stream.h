#ifndef STINT_HTTP_STREAM_H
#define STINT_HTTP_STREAM_H
/*
 * Looks at the raw FastCGI stream of one request before libfcgi does, and knows whether it may. It takes bytes in pieces of
 * any size, keeps nothing of them, and is either not done yet, done, or has found what is wrong.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#define STREAM_PARAMS_MAX 256
#define STREAM_PARAMS_BYTES_MAX ((size_t)64 * 1024)
/* Records and padding around the content: more than this times the content's own limit is no honest stream. */
#define STREAM_OVERHEAD 4

enum stream_state { STREAM_BEGIN,
	STREAM_PARAMS,
	STREAM_STDIN,
	STREAM_DONE,
	STREAM_ABORTED,
	STREAM_BAD };

struct stream_check {
	enum stream_state state;
	size_t body_max;
	unsigned request_id; /* 0 until the request has begun */
	enum err err;        /* of STREAM_BAD: ERR_MALFORMED or ERR_TOO_LARGE */
	const char *why;     /* of STREAM_BAD, for the log */
	size_t body_len;     /* content of STDIN so far */
	uint64_t seen;       /* bytes of the stream so far */
	/* inside */
	unsigned char head[8];
	size_t head_have, content_left, padding_left;
	unsigned char begin[8];
	size_t begin_have;
	unsigned params;
	size_t params_bytes;
	unsigned char lengths[8];
	size_t lengths_have, name_left, value_left;
	bool in_pair;
};

void stream_check_init(struct stream_check *c, size_t body_max);
/* Takes up to len bytes, and says how many: fewer only when it is done or something is wrong. */
size_t stream_check_feed(struct stream_check *c, const unsigned char *data, size_t len);

#endif
