/*
 * One request head, judged as a whole once it has come. Nothing is guessed or repaired: a name twice, a folded line, a bare
 * line feed or a byte behind the head is a refusal, since what two readers understand differently is how one is fooled.
 *
 * It allocates nothing and keeps nothing of the caller's bytes but what stands in struct handshake.
 */
#include "live/handshake.h"

#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define HEADERS_MAX 64
#define KEY_LEN 24
#define SINCE_DIGITS 18

struct text {
	const char *s;
	size_t len;
};

struct reading {
	struct text line, method, target, version;
	struct text host, upgrade, connection, ws_version, key, origin, length;
	bool twice, transfer;
	struct handshake *out;
};

static bool is(struct text t, const char *s)
{
	return t.len == strlen(s) && memcmp(t.s, s, t.len) == 0;
}

static bool is_nocase(struct text t, const char *s)
{
	return t.len == strlen(s) && strncasecmp(t.s, s, t.len) == 0;
}

/* The bytes up to mark, which is skipped; all of them when there is none. */
static struct text cut(struct text *rest, char mark)
{
	const char *at = rest->len ? memchr(rest->s, mark, rest->len) : NULL;
	struct text t = { rest->s, at ? (size_t)(at - rest->s) : rest->len };
	size_t gone = at ? t.len + 1 : t.len;

	rest->s += gone;
	rest->len -= gone;
	return t;
}

static struct text trim(struct text t)
{
	while (t.len && (*t.s == ' ' || *t.s == '\t')) {
		t.s++;
		t.len--;
	}
	while (t.len && (t.s[t.len - 1] == ' ' || t.s[t.len - 1] == '\t'))
		t.len--;
	return t;
}

/* A comma-separated list holds the word, in any case. */
static bool lists(struct text value, const char *word)
{
	while (value.len)
		if (is_nocase(trim(cut(&value, ',')), word))
			return true;
	return false;
}

static bool is_token(struct text t)
{
	static const char also[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < t.len; i++) {
		char c = t.s[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && (!c || !strchr(also, c)))
			return false;
	}
	return t.len > 0;
}

static bool is_clean(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (((unsigned char)t.s[i] < ' ' && t.s[i] != '\t') || t.s[i] == 0x7F)
			return false;
	return true;
}

static int refuse(struct handshake *out, int status, const char *why)
{
	out->why = why;
	return status;
}

/* --- lines */

/* The next line without its CRLF; false when it does not end so. */
static bool next_line(struct text *rest, struct text *line)
{
	const char *end = rest->len ? memchr(rest->s, '\n', rest->len) : NULL;

	if (!end || end == rest->s || end[-1] != '\r')
		return false;
	*line = (struct text){ rest->s, (size_t)(end - rest->s) - 1 };
	rest->len -= line->len + 2;
	rest->s = end + 1;
	return is_clean(*line);
}

static void keep(struct reading *r, struct text *place, struct text value)
{
	r->twice = r->twice || place->s;
	*place = value;
}

static bool read_header(struct reading *r, struct text line)
{
	const struct {
		const char *name;
		struct text *place;
	} known[] = {
		{ "Host", &r->host },
		{ "Upgrade", &r->upgrade },
		{ "Connection", &r->connection },
		{ "Sec-WebSocket-Version", &r->ws_version },
		{ "Sec-WebSocket-Key", &r->key },
		{ "Origin", &r->origin },
		{ "Content-Length", &r->length },
	};
	struct text value = line, name = cut(&value, ':');

	if (name.len == line.len || !is_token(name))
		return false; /* also a folded line, which begins with a blank */
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (is_nocase(name, known[i].name))
			keep(r, known[i].place, trim(value));
	r->transfer = r->transfer || is_nocase(name, "Transfer-Encoding");
	return true;
}

static bool read_lines(struct reading *r, struct text rest)
{
	struct text line, first;
	int n = 0;

	if (!next_line(&rest, &first))
		return false;
	r->method = cut(&first, ' ');
	r->target = cut(&first, ' ');
	r->version = first;
	while (next_line(&rest, &line)) {
		if (!line.len)
			return !rest.len && !r->twice; /* the end; nothing may stand behind it */
		if (++n > HEADERS_MAX || !read_header(r, line))
			return false;
	}
	return false;
}

/* --- the address */

static bool is_ticket(struct text t)
{
	for (size_t i = 0; i < t.len; i++) {
		char c = t.s[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return t.len == TICKET_LEN;
}

static bool read_since(struct text t, int64_t *since)
{
	int64_t n = 0;

	if (!t.len || t.len > SINCE_DIGITS)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		if (t.s[i] < '0' || t.s[i] > '9')
			return false;
		n = n * 10 + (t.s[i] - '0');
	}
	*since = n;
	return true;
}

static bool read_query(struct text query, struct handshake *out)
{
	while (query.len) {
		struct text value = cut(&query, '&'), name = cut(&value, '=');

		if (is(name, "ticket") && !*out->ticket && is_ticket(value))
			memcpy(out->ticket, value.s, TICKET_LEN);
		else if (!is(name, "since") || out->since >= 0 || !read_since(value, &out->since))
			return false;
	}
	return *out->ticket != '\0';
}

/* --- the key */

static int base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Sixteen bytes in base64: 22 digits, the last of which has four empty bits, and "==". */
static bool is_key(struct text key)
{
	for (size_t i = 0; i < KEY_LEN - 2; i++)
		if (key.len != KEY_LEN || base64_value(key.s[i]) < 0)
			return false;
	return memcmp(key.s + KEY_LEN - 2, "==", 2) == 0 && base64_value(key.s[KEY_LEN - 3]) % 16 == 0;
}

static void make_accept(struct text key, char out[ACCEPT_LEN + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char joined[KEY_LEN + sizeof(GUID)], hash[SHA_DIGEST_LENGTH + 1] = { 0 };
	size_t n = 0;

	memcpy(joined, key.s, KEY_LEN);
	memcpy(joined + KEY_LEN, GUID, sizeof(GUID) - 1);
	SHA1(joined, KEY_LEN + sizeof(GUID) - 1, hash);
	for (size_t i = 0; i < SHA_DIGEST_LENGTH; i += 3) { /* 20 bytes and one that is empty */
		unsigned bits = (unsigned)hash[i] << 16 | (unsigned)hash[i + 1] << 8 |
			(i + 2 < SHA_DIGEST_LENGTH ? hash[i + 2] : 0U);

		for (int shift = 18; shift >= 0; shift -= 6)
			out[n++] = digits[bits >> shift & 63];
	}
	out[ACCEPT_LEN - 1] = '=';
	out[ACCEPT_LEN] = '\0';
}

/* --- judging */

static int judge_upgrade(struct reading *r, const char *origin)
{
	struct handshake *out = r->out;

	if (!lists(r->upgrade, "websocket") || !lists(r->connection, "upgrade"))
		return refuse(out, 426, "this address speaks WebSocket: send Upgrade: websocket and Connection: Upgrade");
	if (!is(r->ws_version, "13"))
		return refuse(out, 426, "send Sec-WebSocket-Version: 13");
	if (!is_key(r->key))
		return refuse(out, 400, "Sec-WebSocket-Key must be 16 bytes in base64");
	if (r->origin.s && !is_nocase(r->origin, origin))
		return refuse(out, 403, "pages of another origin may not connect");
	make_accept(r->key, out->accept);
	return HANDSHAKE_OPEN;
}

static int judge(struct reading *r, const char *origin)
{
	struct handshake *out = r->out;
	struct text query = r->target, path = cut(&query, '?');

	if (!is(r->version, "HTTP/1.1") || !is_token(r->method) || !r->target.len)
		return refuse(out, 400, "the request line is not that of HTTP/1.1");
	if (!r->host.len)
		return refuse(out, 400, "send Host once");
	if (r->transfer || (r->length.s && !is(r->length, "0")))
		return refuse(out, 400, "send no body");
	if (is(r->target, "/metrics") && is(r->method, "GET"))
		return HANDSHAKE_METRICS;
	if (!is(path, "/live"))
		return refuse(out, 404, "there is nothing at this address");
	if (!is(r->method, "GET"))
		return refuse(out, 405, "send GET");
	if (!read_query(query, out))
		return refuse(out, 400, "send ticket=, as POST /api/v1/live/ticket gave it, and since=POSITION at most");
	return judge_upgrade(r, origin);
}

int handshake_read(const char *head, size_t len, const char *origin, struct handshake *out)
{
	struct reading r = { .out = out };

	*out = (struct handshake){ .since = -1 };
	if (!len || !memmem(head, len, "\r\n\r\n", 4))
		return len >= HANDSHAKE_MAX ? refuse(out, 431, "the request's head is longer than 8 KiB") : HANDSHAKE_MORE;
	if (!read_lines(&r, (struct text){ head, len }))
		return refuse(out, 400, "the request's head could not be read");
	return judge(&r, origin);
}

char *handshake_origin(void *mem, const char *url)
{
	const char *host = strstr(url, "://");
	size_t len = host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : strlen(url);

	return mem_strndup(mem, url, len);
}
