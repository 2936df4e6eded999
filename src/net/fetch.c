/*
 * One request out, to wherever somebody told us.
 *
 * Three things keep it out of the house. The address is parsed once, and libcurl connects by the very result (CURLOPT_CURLU), so
 * no two parsers can disagree about a spelling. Names are judged by what they resolve to at the moment the socket is opened
 * (CURLOPT_OPENSOCKETFUNCTION), the last moment there is: nothing is looked up again behind it. And redirects are followed
 * here, hop by hop, through the same door.
 *
 * It must not keep connections, cookies or answers, nor unpack bodies: a compressed one could be of any size.
 */
#include "net/fetch.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/private.h"

#define HEADERS_MAX ((size_t)32 * 1024)
#define METHOD_MAX 16

/* One call of net_fetch, over all its hops. */
struct exchange {
	struct net *net;
	void *mem; /* of the caller: what goes into the answer */
	void *scratch;
	const struct net_request *rq;
	struct net_answer *answer;
	CURLU *url;
	const char *method;
	bool with_headers, with_body;
	int64_t deadline_us;
	/* Of the hop: */
	struct buf body;
	struct net_header *headers;
	size_t count, header_bytes;
	bool too_large;
	char refused[INET6_ADDRSTRLEN]; /* "" while none was */
};

static enum net_error end(struct exchange *x, enum net_error error, const char *why)
{
	x->answer->error = error;
	x->answer->why = mem_strdup(x->mem, why);
	return error;
}

/* --- the address */

static char *part(struct exchange *x, CURLUPart which, unsigned flags)
{
	char *text = NULL, *copy = NULL;

	if (curl_url_get(x->url, which, &text, flags) == CURLUE_OK)
		copy = mem_strdup(x->scratch, text);
	curl_free(text);
	return copy;
}

static const char *origin(struct exchange *x)
{
	return mem_printf(x->scratch, "%s://%s:%s", part(x, CURLUPART_SCHEME, 0), part(x, CURLUPART_HOST, 0),
		part(x, CURLUPART_PORT, CURLU_DEFAULT_PORT));
}

/* text is absolute, or relative to where we are. */
static enum net_error url_set(struct exchange *x, const char *text, bool absolute)
{
	const char *rest = strncasecmp(text, "http://", 7) == 0 ? text + 7
		: strncasecmp(text, "https://", 8) == 0 ? text + 8 : NULL;
	CURLUcode code;
	const char *host;

	if (absolute && (!rest || strchr("/?#\\", *rest)))
		return end(x, NET_BAD_URL, "the address does not begin with https:// and a host");
	code = curl_url_set(x->url, CURLUPART_URL, text, CURLU_DISALLOW_USER);
	if (code == CURLUE_USER_NOT_ALLOWED)
		return end(x, NET_BAD_URL, "the address has a user name in it");
	host = code == CURLUE_OK ? part(x, CURLUPART_HOST, 0) : NULL;
	if (!host || !*host)
		return end(x, NET_BAD_URL, code == CURLUE_OK ? "the address has no host"
			: curl_url_strerror(code));
	if (!str_eq(part(x, CURLUPART_SCHEME, 0), "http") && !str_eq(part(x, CURLUPART_SCHEME, 0), "https"))
		return end(x, NET_BAD_URL, "the address is neither http nor https");
	x->answer->url = mem_strdup(x->mem, part(x, CURLUPART_URL, 0));
	return NET_OK;
}

/* --- what is sent */

static bool is_token(const char *s)
{
	static const char token[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!#$%&'*+^`|~";
	size_t len = strlen(s);

	return len && strspn(s, token) == len;
}

static bool is_one_line(const char *s)
{
	for (; *s; s++) {
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return false;
	}
	return true;
}

/* These say how the request itself is carried. */
static bool is_ours(const char *name)
{
	static const char *const ours[] = { "host", "content-length", "transfer-encoding",
		"connection", "keep-alive", "te", "trailer", "upgrade",
		"expect", "proxy-authorization", "proxy-connection", "cookie", NULL };

	for (int i = 0; ours[i]; i++) {
		if (str_eq_nocase(name, ours[i]))
			return true;
	}
	return false;
}

static enum net_error request_judge(struct exchange *x)
{
	size_t len = strlen(x->method);

	if (!len || len > METHOD_MAX || strspn(x->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != len ||
		str_eq(x->method, "CONNECT"))
		return end(x, NET_BAD_REQUEST, "the method is none");
	for (const struct net_header *h = x->rq->headers; h && h->name; h++) {
		if (!is_token(h->name) || !is_one_line(h->value))
			return end(x, NET_BAD_REQUEST, "a header has characters that no header has");
		if (is_ours(h->name))
			return end(x, NET_BAD_REQUEST,
				mem_printf(x->scratch, "the header %s cannot be chosen", h->name));
	}
	return NET_OK;
}

static void list_add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer)
		*list = longer;
}

static struct curl_slist *header_list(struct exchange *x, void *hop)
{
	struct curl_slist *list = NULL;
	bool typed = false;

	list_add(&list, "Expect:");
	for (const struct net_header *h = x->rq->headers; x->with_headers && h && h->name; h++) {
		typed = typed || str_eq_nocase(h->name, "content-type");
		list_add(&list, mem_printf(hop, *h->value ? "%s: %s" : "%s;", h->name, h->value));
	}
	if (!typed)
		list_add(&list, "Content-Type:");
	return net_list(hop, list);
}

/* --- what comes back */

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct exchange *x = data;
	const void *bytes = address->family == AF_INET6
		? (const void *)&((struct sockaddr_in6 *)(void *)&address->addr)->sin6_addr
							: (const void *)&((struct sockaddr_in *)(void *)&address->addr)->sin_addr;

	if (purpose == CURLSOCKTYPE_IPCXN &&
		net_address_is_allowed(x->net->allow, &address->addr, address->addrlen))
		return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (address->family != AF_INET && address->family != AF_INET6)
		memcpy(x->refused, "it", 3);
	else
		inet_ntop(address->family, bytes, x->refused, sizeof x->refused);
	return CURL_SOCKET_BAD;
}

static size_t take_header(char *line, size_t size, size_t n, void *data)
{
	struct exchange *x = data;
	size_t len = size * n, name_len, from, to = len;
	char *name;

	x->header_bytes += len;
	if (x->header_bytes > HEADERS_MAX) {
		x->too_large = true;
		return 0;
	}
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		x->count = 0; /* what came before was an answer in between */
	name_len = len && memchr(line, ':', len) ? (size_t)((char *)memchr(line, ':', len) - line) : 0;
	if (!name_len || !str_is_utf8(line, len))
		return len;
	for (from = name_len + 1; from < len && strchr(" \t", line[from]); from++)
		;
	while (to > from && strchr(" \t\r\n", line[to - 1]))
		to--;
	name = mem_strndup(x->mem, line, name_len);
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	x->headers = mem_grow(x->mem, x->headers, struct net_header, x->count + 2);
	x->headers[x->count++] = (struct net_header){ name, mem_strndup(x->mem, line + from, to - from) };
	return len;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *data)
{
	struct exchange *x = data;
	size_t len = size * n, max = x->rq->answer_max ? x->rq->answer_max : NET_ANSWER_MAX;
	size_t left = max - x->body.len;

	x->too_large = len > left;
	buf_add(&x->body, bytes, len > left ? left : len);
	return x->too_large ? 0 : len;
}

/* --- one hop */

static int64_t ms_left(const struct exchange *x)
{
	return (x->deadline_us - clock_monotonic_us()) / 1000;
}

static void hop_options(struct exchange *x, CURL *curl, void *hop)
{
	int connect_ms = x->rq->connect_ms ? x->rq->connect_ms : NET_CONNECT_MS;
	bool body = x->with_body && (x->rq->body || str_eq(x->method, "POST") ||
		str_eq(x->method, "PUT") || str_eq(x->method, "PATCH"));

	curl_easy_setopt(curl, CURLOPT_CURLU, x->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, NET_AGENT);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, x);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)ms_left(x));
	if (body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->rq->body_len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, x->rq->body ? x->rq->body : "");
	}
	if (str_eq(x->method, "HEAD"))
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, x->method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, header_list(x, hop));
}

/* libcurl's words may quote the other side's: one line of them. */
static const char *words(void *mem, const char *text, const char *otherwise)
{
	char *copy = mem_strdup(mem, *text ? text : otherwise);

	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	}
	return copy;
}

static enum net_error hop_end(struct exchange *x, CURLcode code, const char *text)
{
	if (x->too_large)
		return end(x, NET_TOO_LARGE, "the answer is larger than is taken");
	if (code == CURLE_COULDNT_CONNECT && *x->refused)
		return end(x, NET_REFUSED_ADDRESS,
			mem_printf(x->scratch, "%s is no public address", x->refused));
	if (code == CURLE_OK)
		return end(x, NET_OK, "");
	return end(x, net_error_of(code), words(x->scratch, text, curl_easy_strerror(code)));
}

static enum net_error hop(struct exchange *x)
{
	char text[CURL_ERROR_SIZE] = "";
	void *mem = talloc_new(x->scratch);
	CURL *curl;
	CURLcode code;
	long status = 0;

	if (ms_left(x) <= 0)
		return end(x, NET_TIMEOUT, "no time was left");
	buf_reset(&x->body);
	x->count = x->header_bytes = 0;
	x->too_large = false;
	x->refused[0] = '\0';
	curl = net_handle(mem, x->net->conf->outgoing_ca_file);
	hop_options(x, curl, mem);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	mem_free(mem);
	x->answer->status = (int)status;
	x->headers = mem_grow(x->mem, x->headers, struct net_header, x->count + 1);
	x->headers[x->count] = (struct net_header){ 0 };
	x->answer->headers = x->headers;
	return hop_end(x, code, text);
}

/* --- over all hops */

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Sets the next hop up, or says why not. */
static enum net_error redirect(struct exchange *x, const char *location)
{
	const char *from = origin(x);
	int status = x->answer->status;

	if (url_set(x, location, false))
		return x->answer->error;
	if (str_starts(from, "https:") && str_eq(part(x, CURLUPART_SCHEME, 0), "http"))
		return end(x, NET_REDIRECTED, "the answer leads from https to http");
	if (status == 303 ? !str_eq(x->method, "HEAD") : status < 303 && str_eq(x->method, "POST")) {
		x->method = "GET";
		x->with_body = false;
	}
	if (str_eq(from, origin(x)))
		return NET_OK;
	if (x->with_body && x->rq->body)
		return end(x, NET_REDIRECTED, "the answer sends what was meant for one server to another");
	x->with_headers = false;
	return NET_OK;
}

static enum net_error follow(struct exchange *x)
{
	int left = x->rq->redirects;

	while (hop(x) == NET_OK && is_redirect(x->answer->status)) {
		const char *location = net_answer_header(x->answer, "location");

		if (!location)
			break;
		if (left-- <= 0)
			return end(x, NET_REDIRECTED, x->rq->redirects ? "one redirect too many"
				: "the answer is a redirect");
		if (redirect(x, location))
			break;
	}
	return x->answer->error;
}

enum net_error net_fetch(struct net *net, void *mem, const struct net_request *rq, struct net_answer *answer)
{
	static const struct net_header none[] = { { 0 } };
	int64_t began_us = clock_monotonic_us();
	struct exchange x = {
		.net = net,
		.mem = mem,
		.scratch = talloc_new(mem),
		.rq = rq,
		.answer = answer,
		.method = rq->method ? rq->method : "GET",
		.with_headers = true,
		.with_body = true,
		.deadline_us = began_us + (int64_t)(rq->total_ms ? rq->total_ms : NET_TOTAL_MS) * 1000,
	};

	*answer = (struct net_answer){ .why = "", .headers = none, .url = "" };
	buf_init(&x.body, mem);
	x.url = curl_url();
	if (request_judge(&x) == NET_OK && url_set(&x, rq->url, true) == NET_OK)
		follow(&x);
	curl_url_cleanup(x.url);
	answer->body = x.body.data;
	answer->body_len = x.body.len;
	answer->took_ms = (clock_monotonic_us() - began_us) / 1000;
	mem_free(x.scratch);
	return answer->error;
}

const char *net_answer_header(const struct net_answer *answer, const char *name)
{
	for (const struct net_header *h = answer->headers; h->name; h++) {
		if (str_eq(h->name, name))
			return h->value;
	}
	return NULL;
}

int64_t net_answer_retry_s(const struct net_answer *answer)
{
	const char *text = net_answer_header(answer, "retry-after");
	int64_t s = 0, at;

	if (!text || str_to_int(text, 0, INT32_MAX, &s))
		return s;
	at = (int64_t)curl_getdate(text, NULL);
	s = at - clock_now_us() / 1000000;
	return at > 0 && s > 0 ? s : 0;
}
