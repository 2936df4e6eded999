#ifndef STINT_LIVE_HANDSHAKE_H
#define STINT_LIVE_HANDSHAKE_H
/*
 * The opening handshake of RFC 6455: a strict reader of one HTTP/1.1 request head. What is not exactly what a browser or a
 * WebSocket library sends is refused, with the HTTP status that says why.
 */
#include <stddef.h>
#include <stdint.h>

#define HANDSHAKE_MAX 8192 /* bytes of a request head */
#define TICKET_LEN 43      /* 32 bytes, base64url */
#define ACCEPT_LEN 28

struct handshake {
	char ticket[TICKET_LEN + 1];
	char accept[ACCEPT_LEN + 1]; /* Sec-WebSocket-Accept */
	int64_t since;               /* -1: not given */
	const char *why;             /* it is refused; static */
};

enum handshake_result {
	HANDSHAKE_MORE = 0, /* the head is not whole yet */
	HANDSHAKE_OPEN = 101,
	HANDSHAKE_METRICS = 200, /* GET /metrics, asked on the same socket */
	/* else an HTTP status */
};

/* origin: scheme, host and port that may be named in Origin; a request without Origin comes from a program. */
int handshake_read(const char *head, size_t len, const char *origin, struct handshake *out);
/* The origin of an address people use, below mem: "https://stint.example/x" is "https://stint.example". */
char *handshake_origin(void *mem, const char *url);

#endif
