#ifndef STINT_LIVE_FRAME_H
#define STINT_LIVE_FRAME_H
/* WebSocket frames (RFC 6455), both ways; by wslay, whose only user this is. */
#include <stddef.h>
#include <stdint.h>

#define CLOSE_GOING_AWAY 1001
#define CLOSE_PROTOCOL 1002
#define CLOSE_POLICY 1008
#define CLOSE_TRY_LATER 1013
#define CLOSE_SIGNED_OUT 4401 /* the session is over: sign in again */

enum frame_kind { FRAME_TEXT = 1,
	FRAME_CLOSE = 8,
	FRAME_PING = 9,
	FRAME_PONG = 10 };

#define FRAME_PAYLOAD_MAX 125 /* of what a client may send, and of control frames */

/* Bytes ready to be sent, shared by all who get them. */
struct frame {
	uint32_t refs, len;
	char data[];
};

struct frame *frame_new(enum frame_kind kind, const char *payload, size_t len); /* one reference, the caller's */
struct frame *frame_close(int code, const char *reason);
struct frame *frame_raw(const char *data, size_t len); /* bytes as they are: an HTTP answer */
struct frame *frame_get(struct frame *f);              /* one more reference */
void frame_put(struct frame *f);                       /* NULL is fine */

/*
 * What comes in. Between frames nothing is kept; *box holds what a frame that was cut off needs, and is NULL otherwise.
 * Calls fn for each whole frame until it gives non-zero. Returns 0, or the code to close with.
 */
struct inbox;
typedef int inbox_fn(void *arg, enum frame_kind kind, const char *payload, size_t len);
int inbox_feed(struct inbox **box, const void *mem, const char *data, size_t len, inbox_fn *fn, void *arg);

#endif
