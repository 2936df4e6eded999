#ifndef STINT_NET_SMTP_H
#define STINT_NET_SMTP_H
/*
 * One finished message to the mail server of the configuration (smtp_url, smtp_tls, smtp_user …). The server is the operator's
 * own choice, so its address is not judged. At least once: when the line is cut behind the last byte, nobody knows.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/net.h"

enum net_mail_outcome {
	NET_MAIL_SENT,
	/* Try again: no connection, no TLS, time-out, 4xx, and whatever is wrong with server or password and not with the mail. */
	NET_MAIL_LATER,
	/* Never: 5xx to sender, recipient or message (but 530, which asks for TLS or a password), or a malformed message. */
	NET_MAIL_REFUSED,
};

struct net_mail {
	const char *from;      /* envelope: a bare address, "" for none */
	const char *const *to; /* bare addresses, end with NULL; at least one */
	const char *data;      /* headers and body; every line ends with CRLF; no NUL */
	size_t len;
};

struct net_mail_to {
	const char *address;
	enum net_mail_outcome outcome;
	int code;              /* what the server said to this recipient, or to the message; 0: nothing */
	const char *words;     /* its line without the code, for the log; "" when it said nothing */
};

/* Below the mem given; no pointer is ever NULL. */
struct net_mail_result {
	/* SENT: to all. LATER: at least one recipient is worth another try (send to those alone). REFUSED: to none is. */
	enum net_mail_outcome outcome;
	enum net_error error;  /* NET_OK when sent to all; NET_ANSWERED when the server said no */
	const char *why;       /* one line for the log: what failed, with the server's words; "" when sent. No secret */
	int code;              /* the server's last answer; 0: none */
	const struct net_mail_to *to; /* as many as were given, in their order */
	size_t count;
	int64_t took_ms;
};

bool net_smtp_configured(const struct net *net); /* smtp_url is set */
/* Always fills *result and returns its outcome. Only when configured. */
enum net_mail_outcome net_smtp_send(struct net *net, void *mem, const struct net_mail *mail, struct net_mail_result *result);
/* Says hello, with TLS and password as configured, and sends nothing. NET_OK, or *why for the operator, below mem. */
enum net_error net_smtp_probe(struct net *net, void *mem, const char **why);
#endif
