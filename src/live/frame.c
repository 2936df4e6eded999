/*
 * wslay knows the bytes of a frame; what a client may say is judged here, and that is little: pings, pongs, a close and the
 * word "ping". A longer payload is refused when its length is known, before any of it is kept.
 *
 * Ten thousand clients are silent nearly all the time, so none has a context of wslay's (4 KiB) of its own: there is one
 * for all that is sent, and one is made for a frame that comes in pieces and goes when it is whole. That nothing is
 * left in it is told by counting: bytes given against bytes of whole frames.
 */
#include "live/frame.h"

#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/mem.h"

#define HEAD_MAX 14
#define MASK_LEN 4
#define EXTENDED 126 /* a length from here on takes two bytes more */

struct frame *frame_raw(const char *data, size_t len)
{
	struct frame *f = mem_zalloc(NULL, sizeof(*f) + len, "struct frame");

	f->refs = 1;
	f->len = (uint32_t)len;
	if (len)
		memcpy(f->data, data, len);
	return f;
}

struct frame *frame_get(struct frame *f)
{
	f->refs++;
	return f;
}

void frame_put(struct frame *f)
{
	if (f && --f->refs == 0)
		mem_free(f);
}

/* --- out */

static ssize_t take_bytes(const uint8_t *data, size_t len, int flags, void *arg)
{
	struct frame **out = arg;
	struct frame *f = *out;

	(void)flags;
	memcpy(f->data + f->len, data, len); /* frame_new made room for all of it */
	f->len += (uint32_t)len;
	return (ssize_t)len;
}

struct frame *frame_new(enum frame_kind kind, const char *payload, size_t len)
{
	static wslay_frame_context_ptr ctx;
	static struct frame *out;
	const struct wslay_frame_callbacks callbacks = { .send_callback = take_bytes };
	struct wslay_frame_iocb io = {
		.fin = 1,
		.opcode = (uint8_t)kind,
		.payload_length = len,
		.data = (const uint8_t *)payload,
		.data_length = len,
	};

	if (!ctx && wslay_frame_context_init(&ctx, &callbacks, &out) != 0)
		abort();
	out = mem_zalloc(NULL, sizeof(*out) + HEAD_MAX + len, "struct frame");
	out->refs = 1;
	if (wslay_frame_send(ctx, &io) != (ssize_t)len)
		abort(); /* a payload of ours that wslay refuses is a mistake of ours */
	return out;
}

struct frame *frame_close(int code, const char *reason)
{
	char payload[FRAME_PAYLOAD_MAX];
	size_t len = strnlen(reason, sizeof(payload) - 2);

	payload[0] = (char)(code >> 8);
	payload[1] = (char)(code & 0xFF);
	memcpy(payload + 2, reason, len);
	return frame_new(FRAME_CLOSE, payload, len + 2);
}

/* --- in */

struct inbox {
	wslay_frame_context_ptr ctx;
	const char *data; /* not yet taken */
	size_t len;
	size_t given, whole; /* bytes, since it was made */
	size_t have;         /* of the frame under way */
	char payload[FRAME_PAYLOAD_MAX];
};

static ssize_t give_bytes(uint8_t *buf, size_t len, int flags, void *arg)
{
	struct inbox *in = arg;
	size_t n = in->len < len ? in->len : len;

	(void)flags;
	if (!n)
		return -1;
	memcpy(buf, in->data, n);
	in->data += n;
	in->len -= n;
	return (ssize_t)n;
}

static int inbox_fini(struct inbox *in)
{
	wslay_frame_context_free(in->ctx);
	return 0;
}

static struct inbox *inbox_new(const void *mem)
{
	const struct wslay_frame_callbacks callbacks = { .recv_callback = give_bytes };
	struct inbox *in = mem_new(mem, struct inbox);

	if (wslay_frame_context_init(&in->ctx, &callbacks, in) != 0)
		abort();
	talloc_set_destructor(in, inbox_fini);
	return in;
}

/* 0, or why this frame may not be. */
static int judge(const struct wslay_frame_iocb *io)
{
	if (!io->mask || io->rsv)
		return CLOSE_PROTOCOL;
	if (!io->fin || io->payload_length > FRAME_PAYLOAD_MAX)
		return CLOSE_POLICY;
	switch (io->opcode) {
	case WSLAY_TEXT_FRAME:
	case WSLAY_CONNECTION_CLOSE:
	case WSLAY_PING:
	case WSLAY_PONG:
		return 0;
	case WSLAY_CONTINUATION_FRAME:
	case WSLAY_BINARY_FRAME:
		return CLOSE_POLICY;
	default:
		return CLOSE_PROTOCOL;
	}
}

static int take_frames(struct inbox *in, inbox_fn *fn, void *arg)
{
	for (;;) {
		struct wslay_frame_iocb io = { 0 };
		ssize_t n = wslay_frame_recv(in->ctx, &io);
		int code;

		if (n == WSLAY_ERR_WANT_READ)
			return 0;
		if (n < 0)
			return CLOSE_PROTOCOL;
		code = judge(&io);
		if (code)
			return code;
		if (io.data_length)
			memcpy(in->payload + in->have, io.data, io.data_length);
		in->have += io.data_length;
		if (in->have < io.payload_length)
			continue;
		in->whole += 2 + MASK_LEN + in->have;
		code = fn(arg, (enum frame_kind)io.opcode, in->payload, in->have);
		in->have = 0;
		if (code)
			return code;
	}
}

_Static_assert(FRAME_PAYLOAD_MAX < EXTENDED, "every frame that is taken has the short head");

int inbox_feed(struct inbox **box, const void *mem, const char *data, size_t len, inbox_fn *fn, void *arg)
{
	struct inbox *in = *box ? *box : inbox_new(mem);
	int code;

	in->data = data;
	in->len = len;
	in->given += len;
	code = take_frames(in, fn, arg);
	*box = in;
	if (code || in->given == in->whole) {
		mem_free(in);
		*box = NULL;
	}
	return code;
}
