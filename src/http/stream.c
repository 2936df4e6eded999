/*
 * The doorkeeper of raw FastCGI streams.
 *
 * Why so: libfcgi 2.4.2 believes what it reads. A management record that asks for one value twice too often
 * writes past a buffer on its stack; a parameter said to be two gigabytes long ends the process in an assertion;
 * names with '=' or NUL cannot be told apart from honest ones afterwards. So every byte is judged here first, and
 * libfcgi is only ever given a stream that is whole and within its limits:
 *
 *	BEGIN_REQUEST (responder)  PARAMS… PARAMS(empty)  STDIN… STDIN(empty)
 *
 * all of version 1 and of one request id. libfcgi takes padding behind the first record, or behind the empty one that
 * ends the parameters, for the next record; those two may have none. Anything else, even what the protocol would allow
 * (other roles, management records, several requests on one connection), is refused: nginx sends none of it.
 *
 * Must not allocate, and must not trust a length before it has compared it.
 */
#include "http/stream.h"

#include <string.h>

enum { TYPE_BEGIN = 1,
	TYPE_ABORT = 2,
	TYPE_PARAMS = 4,
	TYPE_STDIN = 5 };
enum { ROLE_RESPONDER = 1 };

void stream_check_init(struct stream_check *c, size_t body_max)
{
	*c = (struct stream_check){ .state = STREAM_BEGIN, .body_max = body_max };
}

static void bad(struct stream_check *c, enum err err, const char *why)
{
	c->state = STREAM_BAD;
	c->err = err;
	c->why = why;
}

static void begin_content(struct stream_check *c, const unsigned char *data, size_t len)
{
	memcpy(c->begin + c->begin_have, data, len);
	c->begin_have += len;
	if (c->begin_have < sizeof(c->begin))
		return;
	if (c->begin[0] != 0 || c->begin[1] != ROLE_RESPONDER)
		bad(c, ERR_MALFORMED, "role is not responder");
}

/* One length is one byte, or four when its highest bit is set. */
static size_t length_size(unsigned char first)
{
	return first & 0x80 ? 4 : 1;
}

static size_t length_value(const unsigned char *p)
{
	if (!(p[0] & 0x80))
		return p[0];
	return ((size_t)(p[0] & 0x7F) << 24) | ((size_t)p[1] << 16) | ((size_t)p[2] << 8) | p[3];
}

/* Takes one byte of the two lengths before a pair. */
static void pair_length(struct stream_check *c, unsigned char byte)
{
	size_t first;

	c->lengths[c->lengths_have++] = byte;
	first = length_size(c->lengths[0]);
	if (c->lengths_have <= first || c->lengths_have < first + length_size(c->lengths[first]))
		return;
	c->name_left = length_value(c->lengths);
	c->value_left = length_value(c->lengths + first);
	c->lengths_have = 0;
	c->in_pair = c->name_left + c->value_left > 0;
	c->params_bytes += c->name_left + c->value_left;
	if (c->name_left == 0)
		bad(c, ERR_MALFORMED, "parameter without a name");
	else if (++c->params > STREAM_PARAMS_MAX)
		bad(c, ERR_TOO_LARGE, "too many parameters");
	else if (c->params_bytes > STREAM_PARAMS_BYTES_MAX)
		bad(c, ERR_TOO_LARGE, "parameters too large");
}

/* Takes what there is of a name or a value, and says how much. */
static size_t pair_text(struct stream_check *c, const unsigned char *data, size_t len)
{
	size_t *left = c->name_left ? &c->name_left : &c->value_left;
	size_t n = len < *left ? len : *left;
	const unsigned char *nul = memchr(data, '\0', n);

	/* What comes first decides, so that the verdict does not depend on the size of the pieces. */
	if (left == &c->name_left && memchr(data, '=', nul ? (size_t)(nul - data) : n))
		bad(c, ERR_MALFORMED, "'=' in the name of a parameter");
	else if (nul)
		bad(c, ERR_MALFORMED, "NUL in a parameter");
	*left -= n;
	c->in_pair = c->name_left + c->value_left > 0;
	return n;
}

static void params_content(struct stream_check *c, const unsigned char *data, size_t len)
{
	size_t at = 0;

	while (at < len && c->state != STREAM_BAD) {
		if (c->in_pair)
			at += pair_text(c, data + at, len - at);
		else
			pair_length(c, data[at++]);
	}
}

static void params_end(struct stream_check *c)
{
	if (c->in_pair || c->lengths_have)
		bad(c, ERR_MALFORMED, "parameters end within one");
	else if (c->padding_left)
		bad(c, ERR_MALFORMED, "padding behind the end of the parameters");
	else
		c->state = STREAM_STDIN;
}

static unsigned head_id(const struct stream_check *c)
{
	return (unsigned)c->head[2] << 8 | c->head[3];
}

static void first_record(struct stream_check *c)
{
	if (c->head[1] != TYPE_BEGIN || head_id(c) == 0)
		bad(c, ERR_MALFORMED, "stream does not begin with a request");
	else if (c->content_left != sizeof(c->begin) || c->padding_left)
		bad(c, ERR_MALFORMED, "request begins with a record of the wrong size");
	else
		c->request_id = head_id(c);
}

static void next_record(struct stream_check *c)
{
	unsigned char type = c->head[1];

	if (head_id(c) != c->request_id)
		bad(c, ERR_MALFORMED, "record of another request");
	else if (type == TYPE_ABORT)
		c->state = STREAM_ABORTED;
	else if (type != (c->state == STREAM_PARAMS ? TYPE_PARAMS : TYPE_STDIN))
		bad(c, ERR_MALFORMED, "record of an unexpected type");
	else if (c->state == STREAM_STDIN && (c->body_len += c->content_left) > c->body_max)
		bad(c, ERR_TOO_LARGE, "body too large");
}

static void head_complete(struct stream_check *c)
{
	bool first = !c->request_id;

	c->head_have = 0;
	c->content_left = (size_t)c->head[4] << 8 | c->head[5];
	c->padding_left = c->head[6];
	if (c->head[0] != 1)
		bad(c, ERR_MALFORMED, "unknown protocol version");
	else if (first)
		first_record(c);
	else
		next_record(c);
	if (first || c->content_left || c->state == STREAM_BAD || c->state == STREAM_ABORTED)
		return;
	if (c->state == STREAM_PARAMS)
		params_end(c);
	else
		c->state = STREAM_DONE;
}

static void content(struct stream_check *c, const unsigned char *data, size_t len)
{
	c->content_left -= len;
	if (c->state == STREAM_BEGIN)
		begin_content(c, data, len);
	else if (c->state == STREAM_PARAMS)
		params_content(c, data, len);
	if (c->state == STREAM_BEGIN && !c->content_left)
		c->state = STREAM_PARAMS;
}

static bool over(const struct stream_check *c)
{
	return c->state >= STREAM_DONE;
}

/* Everything of a record is taken before the next: head, content, padding. */
static size_t step(struct stream_check *c, const unsigned char *data, size_t len)
{
	size_t n;

	if (c->content_left) {
		n = len < c->content_left ? len : c->content_left;
		content(c, data, n);
	} else if (c->padding_left && c->head_have == 0) {
		n = len < c->padding_left ? len : c->padding_left;
		c->padding_left -= n;
	} else {
		n = sizeof(c->head) - c->head_have;
		n = len < n ? len : n;
		memcpy(c->head + c->head_have, data, n);
		c->head_have += n;
		if (c->head_have == sizeof(c->head))
			head_complete(c);
	}
	return n;
}

size_t stream_check_feed(struct stream_check *c, const unsigned char *data, size_t len)
{
	uint64_t most = (STREAM_PARAMS_BYTES_MAX + c->body_max) * STREAM_OVERHEAD;
	size_t at = 0;

	while (at < len && !over(c)) {
		size_t n = step(c, data + at, len - at);

		at += n;
		c->seen += n;
		if (c->seen > most && !over(c))
			bad(c, ERR_TOO_LARGE, "more framing than content");
	}
	return at;
}
