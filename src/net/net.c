/*
 * What fetch and mail share: options checked before anything is sent, handles that keep to the rules of the house, and
 * libcurl's many results as a few of ours.
 *
 * A handle lives for one call. Connections are not kept: each is judged and proved anew, and a job a minute gains nothing from
 * a pool. The environment is not asked: no proxies, no netrc.
 */
#include "net/private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

static const struct {
	CURLcode code;
	enum net_error error;
} meanings[] = {
	{ CURLE_OK, NET_OK },
	{ CURLE_URL_MALFORMAT, NET_BAD_URL },
	{ CURLE_COULDNT_RESOLVE_HOST, NET_DNS },
	{ CURLE_COULDNT_CONNECT, NET_CONNECT },
	{ CURLE_SSL_CONNECT_ERROR, NET_TLS },
	{ CURLE_PEER_FAILED_VERIFICATION, NET_TLS },
	{ CURLE_SSL_CERTPROBLEM, NET_TLS },
	{ CURLE_SSL_CIPHER, NET_TLS },
	{ CURLE_SSL_CACERT_BADFILE, NET_TLS },
	{ CURLE_SSL_ISSUER_ERROR, NET_TLS },
	{ CURLE_SSL_INVALIDCERTSTATUS, NET_TLS },
	{ CURLE_USE_SSL_FAILED, NET_TLS },
	{ CURLE_OPERATION_TIMEDOUT, NET_TIMEOUT },
	{ CURLE_FILESIZE_EXCEEDED, NET_TOO_LARGE },
	{ CURLE_LOGIN_DENIED, NET_AUTH },
};

enum net_error net_error_of(CURLcode code)
{
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		if (meanings[i].code == code)
			return meanings[i].error;
	}
	return NET_BROKEN;
}

const char *net_error_name(enum net_error error)
{
	static const char *const names[] = {
		[NET_OK] = "ok",
		[NET_BAD_URL] = "bad_url",
		[NET_BAD_REQUEST] = "bad_request",
		[NET_REFUSED_ADDRESS] = "refused_address",
		[NET_DNS] = "dns",
		[NET_CONNECT] = "connect",
		[NET_TLS] = "tls",
		[NET_TIMEOUT] = "timeout",
		[NET_TOO_LARGE] = "too_large",
		[NET_REDIRECTED] = "redirected",
		[NET_BROKEN] = "broken",
		[NET_AUTH] = "auth",
		[NET_ANSWERED] = "answered",
	};

	return names[error];
}

/* --- handles */

struct held {
	CURL *curl;
	struct curl_slist *list;
};

static int held_drop(struct held *h)
{
	if (h->curl)
		curl_easy_cleanup(h->curl);
	curl_slist_free_all(h->list);
	return 0;
}

static struct held *held_new(void *mem)
{
	struct held *h = mem_new(mem, struct held);

	talloc_set_destructor(h, held_drop);
	return h;
}

CURL *net_handle(void *mem, const char *ca_file)
{
	struct held *h = held_new(mem);

	h->curl = curl_easy_init();
	if (!h->curl) {
		log_error("libcurl did not start", NULL);
		abort();
	}
	curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(h->curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(h->curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(h->curl, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(h->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (*ca_file) {
		curl_easy_setopt(h->curl, CURLOPT_CAINFO, ca_file);
		curl_easy_setopt(h->curl, CURLOPT_CAPATH, NULL);
	}
	return h->curl;
}

struct curl_slist *net_list(void *mem, struct curl_slist *list)
{
	held_new(mem)->list = list;
	return list;
}

/* --- options */

static char *url_part(void *mem, CURLU *url, CURLUPart part)
{
	char *text = NULL, *copy = NULL;

	if (curl_url_get(url, part, &text, 0) == CURLUE_OK)
		copy = mem_strdup(mem, text);
	curl_free(text);
	return copy;
}

static const char *smtp_url_fault(void *mem, const char *text)
{
	CURLU *url = curl_url();
	bool parsed = curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK;
	const char *scheme = parsed ? url_part(mem, url, CURLUPART_SCHEME) : NULL;
	const char *path = parsed ? url_part(mem, url, CURLUPART_PATH) : NULL;
	bool good = (str_eq(scheme, "smtp") || str_eq(scheme, "smtps")) && (!path || str_eq(path, "/")) &&
		!url_part(mem, url, CURLUPART_QUERY) && !url_part(mem, url, CURLUPART_FRAGMENT);

	curl_url_cleanup(url);
	return good ? NULL : "smtp_url: this is no mail server. Write smtp://HOST:587 or smtps://HOST:465; "
			     "user and password have options of their own";
}

static const char *smtp_fault(void *mem, const struct conf *conf)
{
	if (!*conf->smtp_url)
		return NULL;
	if (*conf->smtp_user && str_eq(conf->smtp_tls, "opportunistic") &&
		!str_starts(conf->smtp_url, "smtps:"))
		return "smtp_tls: opportunistic would send smtp_password in the clear when somebody takes TLS away. "
		       "Write starttls, or none if that is meant";
	return smtp_url_fault(mem, conf->smtp_url);
}

static const char *file_fault(void *mem, const char *key, const char *file)
{
	if (!*file || access(file, R_OK) == 0)
		return NULL;
	return mem_printf(mem, "%s: %s cannot be read. Name a readable file of PEM certificates", key, file);
}

static const char *host_of(void *mem, const char *text)
{
	CURLU *url = curl_url();
	const char *host = curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK
		? url_part(mem, url, CURLUPART_HOST) : NULL;

	curl_url_cleanup(url);
	return host ? host : "localhost";
}

static int net_drop(struct net *net)
{
	(void)net;
	curl_global_cleanup();
	return 0;
}

struct net *net_new(void *mem, const struct conf *conf, const char **why)
{
	struct net *net = mem_new(mem, struct net);
	const char *fault = NULL;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		log_error("libcurl did not start", NULL);
		abort();
	}
	talloc_set_destructor(net, net_drop);
	net->conf = conf;
	net->allow = net_allow_parse(net, conf->outgoing_allow, &fault);
	if (!net->allow)
		fault = mem_printf(net, "outgoing_allow: %s", fault);
	if (!fault)
		fault = smtp_fault(net, conf);
	if (!fault)
		fault = file_fault(net, "smtp_ca_file", conf->smtp_ca_file);
	if (!fault)
		fault = file_fault(net, "outgoing_ca_file", conf->outgoing_ca_file);
	net->ehlo = host_of(net, conf->public_url);
	if (!fault)
		return net;
	*why = mem_strdup(mem, fault);
	mem_free(net);
	return NULL;
}
