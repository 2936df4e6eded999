/*
 * Mail to the configured server, through libcurl's SMTP.
 *
 * libcurl says that something failed; whose fault it was stands in the dialogue. So that is watched (CURLOPT_DEBUGFUNCTION):
 * each reply belongs to the command before it. Only sender, recipient and message can be at fault for good; what the server
 * says to hello, STARTTLS or password is the operator's matter, and the mail waits.
 *
 * The dialogue holds the password and the mail, so nothing of it is kept but replies.
 */
#include "net/smtp.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/private.h"

#define CONNECT_MS 10000
#define WORDS_MAX 300
#define ADDRESS_MAX 320

enum stage { STAGE_HELLO, STAGE_AUTH, STAGE_FROM, STAGE_TO, STAGE_DATA, STAGE_QUIT };

struct dialogue {
	void *mem;
	const struct net_mail *mail;
	struct net_mail_to *to;
	size_t count;
	enum stage stage, failed; /* failed: where the last no was said */
	size_t at; /* the recipient spoken of, from 1 */
	int code;
	const char *words; /* of the last reply that says no; "" */
	size_t given; /* bytes of the message handed over */
};

/* --- watching */

static enum stage stage_of(const char *line, size_t len, enum stage now)
{
	static const struct {
		const char *verb;
		enum stage stage;
	} verbs[] = { { "EHLO", STAGE_HELLO }, { "HELO", STAGE_HELLO }, { "STARTTLS", STAGE_HELLO },
		{ "AUTH", STAGE_AUTH }, { "MAIL FROM:", STAGE_FROM }, { "RCPT TO:", STAGE_TO },
		{ "DATA", STAGE_DATA }, { "QUIT", STAGE_QUIT } };

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		size_t n = strlen(verbs[i].verb);

		if (len >= n && strncasecmp(line, verbs[i].verb, n) == 0)
			return verbs[i].stage;
	}
	return now; /* a password, in pieces */
}

static const char *clean(void *mem, const char *text, size_t len)
{
	char *copy = mem_strndup(mem, text, len > WORDS_MAX ? WORDS_MAX : len);

	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = ' ';
	}
	return str_trim(mem, copy);
}

/* "550 5.1.1 no such user"; the lines before the last have a dash. */
static void reply(struct dialogue *d, const char *line, size_t len)
{
	int64_t code;

	if (len < 4 || line[3] == '-' || d->stage == STAGE_QUIT ||
		!str_to_int(mem_strndup(d->mem, line, 3), 200, 599, &code))
		return;
	d->code = (int)code;
	if (d->stage == STAGE_TO && d->at && d->at <= d->count) {
		d->to[d->at - 1].code = (int)code;
		d->to[d->at - 1].words = clean(d->mem, line + 4, len - 4);
	}
	if (code >= 400) {
		d->failed = d->stage;
		d->words = clean(d->mem, line + 4, len - 4);
	}
}

static int watch(CURL *curl, curl_infotype type, char *text, size_t len, void *data)
{
	struct dialogue *d = data;

	(void)curl;
	if (type == CURLINFO_HEADER_OUT) {
		d->stage = stage_of(text, len, d->stage);
		d->at += d->stage == STAGE_TO;
	} else if (type == CURLINFO_HEADER_IN) {
		reply(d, text, len);
	}
	return 0;
}

static size_t give(char *to, size_t size, size_t n, void *data)
{
	struct dialogue *d = data;
	size_t room = size * n, left = d->mail->len - d->given;
	size_t len = room < left ? room : left;

	memcpy(to, d->mail->data + d->given, len);
	d->given += len;
	return len;
}

/* What a server says to a command of ours that asks for text. */
static size_t ignore(char *bytes, size_t size, size_t n, void *data)
{
	(void)bytes;
	(void)data;
	return size * n;
}

/* --- the connection */

static CURL *connection(struct net *net, struct dialogue *d, char *error)
{
	const struct conf *conf = net->conf;
	CURL *curl = net_handle(d->mem, conf->smtp_ca_file);
	long tls = str_eq(conf->smtp_tls, "none") ? CURLUSESSL_NONE
		: str_eq(conf->smtp_tls, "starttls") ? CURLUSESSL_ALL : CURLUSESSL_TRY;
	size_t len = strlen(conf->smtp_url);

	while (len && conf->smtp_url[len - 1] == '/')
		len--;
	curl_easy_setopt(curl, CURLOPT_URL,
		mem_printf(d->mem, "%.*s/%s", (int)len, conf->smtp_url, net->ehlo));
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_USE_SSL, tls);
	if (*conf->smtp_user) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, conf->smtp_user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, conf->smtp_password);
		curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
	}
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)conf->smtp_timeout_s * 1000L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, watch);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, d);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
	return curl;
}

static enum net_error error_of(const struct dialogue *d, CURLcode code)
{
	enum net_error error = net_error_of(code);

	if (code == CURLE_OK || error == NET_TIMEOUT || error == NET_TLS || error == NET_DNS ||
		error == NET_CONNECT)
		return error;
	if (error == NET_AUTH || (*d->words && d->failed == STAGE_AUTH))
		return NET_AUTH;
	return *d->words ? NET_ANSWERED : NET_BROKEN;
}

/* What went wrong, in one line. */
static const char *why_of(const struct dialogue *d, CURLcode code, const char *text)
{
	const char *own = clean(d->mem, *text ? text : curl_easy_strerror(code), WORDS_MAX);

	if (code == CURLE_OK)
		return "";
	return *d->words ? mem_printf(d->mem, "%s; the server said: %d %s", own, d->code, d->words) : own;
}

/* --- a mail */

static bool is_address(const char *s)
{
	size_t len = strlen(s);
	const char *at = strrchr(s, '@');

	for (const char *c = s; *c; c++) {
		if ((unsigned char)*c <= 0x20 || *c == 0x7f || *c == '<' || *c == '>')
			return false;
	}
	return len <= ADDRESS_MAX && at && at != s && at[1];
}

/* A line end of another kind may mean to one server what it does not mean to the next: mails smuggled in mails. */
static bool is_message(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!data[i] || (data[i] == '\n' && (!i || data[i - 1] != '\r')) ||
			(data[i] == '\r' && (i + 1 == len || data[i + 1] != '\n')))
			return false;
	}
	return len >= 2 && data[len - 1] == '\n';
}

static const char *mail_fault(const struct dialogue *d)
{
	if (*d->mail->from && !is_address(d->mail->from))
		return "the sender is no address";
	if (!d->count)
		return "there is no recipient";
	for (size_t i = 0; i < d->count; i++) {
		if (!is_address(d->to[i].address))
			return "a recipient is no address";
	}
	return is_message(d->mail->data, d->mail->len) ? NULL
		: "the message has lines that do not end with CRLF, or a NUL";
}

static CURLcode transfer(struct net *net, struct dialogue *d, char *error)
{
	CURL *curl = connection(net, d, error);
	struct curl_slist *list = NULL;

	for (size_t i = 0; i < d->count; i++) {
		struct curl_slist *longer = curl_slist_append(list, d->to[i].address);

		if (longer)
			list = longer;
	}
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, d->mail->from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, net_list(d->mem, list));
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(curl, CURLOPT_READDATA, d);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)d->mail->len);
	return curl_easy_perform(curl);
}

static enum net_mail_outcome outcome_of(int code)
{
	return code / 100 == 2 ? NET_MAIL_SENT : code / 100 == 5 && code != 530 ? NET_MAIL_REFUSED
		: NET_MAIL_LATER;
}

/* A recipient that was taken shares the message's fate; one that was not has its own. */
static void settle(struct dialogue *d, CURLcode result)
{
	bool final = *d->words && (d->failed == STAGE_FROM || d->failed == STAGE_DATA);
	enum net_mail_outcome all = result == CURLE_OK ? NET_MAIL_SENT : final ? outcome_of(d->code)
		: NET_MAIL_LATER;

	for (size_t i = 0; i < d->count; i++) {
		struct net_mail_to *to = &d->to[i];

		if (to->code >= 400) {
			to->outcome = outcome_of(to->code);
			continue;
		}
		to->outcome = all;
		to->code = result == CURLE_OK || final ? d->code : 0;
		to->words = final && result != CURLE_OK ? d->words : "";
	}
}

static enum net_mail_outcome sum_up(struct net_mail_result *result)
{
	bool sent = true, later = false;

	for (size_t i = 0; i < result->count; i++) {
		sent = sent && result->to[i].outcome == NET_MAIL_SENT;
		later = later || result->to[i].outcome == NET_MAIL_LATER;
	}
	return sent ? NET_MAIL_SENT : later ? NET_MAIL_LATER : NET_MAIL_REFUSED;
}

static void refuse(struct dialogue *d, struct net_mail_result *result, const char *fault)
{
	for (size_t i = 0; i < d->count; i++)
		d->to[i].outcome = NET_MAIL_REFUSED;
	result->outcome = NET_MAIL_REFUSED;
	result->error = NET_BAD_REQUEST;
	result->why = fault;
}

static void perform(struct net *net, struct dialogue *d, struct net_mail_result *result)
{
	char error[CURL_ERROR_SIZE] = "";
	CURLcode code = transfer(net, d, error);

	settle(d, code);
	result->code = d->code;
	result->outcome = sum_up(result);
	result->error = error_of(d, code);
	result->why = why_of(d, code, error);
	if (code == CURLE_OK && result->outcome != NET_MAIL_SENT) {
		result->error = NET_ANSWERED;
		result->why = mem_printf(d->mem,
			"some recipients were not taken; the server said: %s", d->words);
	}
}

enum net_mail_outcome net_smtp_send(struct net *net, void *mem, const struct net_mail *mail,
	struct net_mail_result *result)
{
	int64_t began_us = clock_monotonic_us();
	struct dialogue d = { .mem = mem, .mail = mail, .words = "" };
	const char *fault;

	while (mail->to[d.count])
		d.count++;
	d.to = mem_array(mem, struct net_mail_to, d.count + 1);
	for (size_t i = 0; i < d.count; i++)
		d.to[i] = (struct net_mail_to){ .address = mail->to[i], .words = "" };
	*result = (struct net_mail_result){ .why = "", .to = d.to, .count = d.count };
	fault = mail_fault(&d);
	if (fault)
		refuse(&d, result, fault);
	else
		perform(net, &d, result);
	result->took_ms = (clock_monotonic_us() - began_us) / 1000;
	return result->outcome;
}

bool net_smtp_configured(const struct net *net)
{
	return *net->conf->smtp_url;
}

enum net_error net_smtp_probe(struct net *net, void *mem, const char **why)
{
	char error[CURL_ERROR_SIZE] = "";
	struct dialogue d = { .mem = mem, .words = "" };
	CURL *curl = connection(net, &d, error);
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "NOOP");
	code = curl_easy_perform(curl);
	*why = why_of(&d, code, error);
	return error_of(&d, code);
}
