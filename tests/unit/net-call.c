/*
 * One call of src/net, for tests that bring servers of their own (net_smtp.py, net_tls.py): options come from the environment,
 * a message on stdin, and what came of it goes to stdout as JSON.
 *
 * usage: net-call fetch URL | smtp FROM TO… | probe
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/fetch.h"
#include "net/smtp.h"

static const char *const outcomes[] = { [NET_MAIL_SENT] = "sent", [NET_MAIL_LATER] = "later",
	[NET_MAIL_REFUSED] = "refused" };

static void put(struct buf *out, const char *key, const char *value)
{
	buf_printf(out, "%s\"%s\":", out->len > 1 ? "," : "", key);
	buf_json_str(out, value, strlen(value));
}

static void fetch(struct net *net, void *mem, const char *url, struct buf *out)
{
	const struct net_request rq = { .url = url, .redirects = 3 };
	struct net_answer answer;

	net_fetch(net, mem, &rq, &answer);
	put(out, "error", net_error_name(answer.error));
	put(out, "why", answer.why);
	put(out, "url", answer.url);
	buf_printf(out, ",\"status\":%d", answer.status);
	put(out, "body", answer.body);
}

static void smtp(struct net *net, void *mem, const char *from, char **to, struct buf *out)
{
	struct net_mail mail = { .from = from, .to = (const char *const *)to };
	struct net_mail_result result;
	struct buf data;
	char block[4096];
	size_t n;

	buf_init(&data, mem);
	while ((n = fread(block, 1, sizeof block, stdin)) > 0)
		buf_add(&data, block, n);
	mail.data = data.data;
	mail.len = data.len;
	net_smtp_send(net, mem, &mail, &result);
	put(out, "outcome", outcomes[result.outcome]);
	put(out, "error", net_error_name(result.error));
	put(out, "why", result.why);
	buf_printf(out, ",\"code\":%d,\"to\":[", result.code);
	for (size_t i = 0; i < result.count; i++) {
		buf_printf(out, "%s[\"%s\",%d,", i ? "," : "", outcomes[result.to[i].outcome],
			result.to[i].code);
		buf_json_str(out, result.to[i].words, strlen(result.to[i].words));
		buf_putc(out, ']');
	}
	buf_putc(out, ']');
}

static void probe(struct net *net, void *mem, struct buf *out)
{
	const char *why = "";

	put(out, "error", net_error_name(net_smtp_probe(net, mem, &why)));
	put(out, "why", why);
}

int main(int argc, char **argv)
{
	void *mem = mem_root("net-call");
	const char *why = NULL, *what = argc > 1 ? argv[1] : "";
	const struct conf *conf = conf_load(mem, "", &why);
	struct net *net = conf ? net_new(mem, conf, &why) : NULL;
	struct buf out;

	log_init("net-call", LOG_DEBUG_);
	if (!net) {
		fprintf(stderr, "net-call: %s\n", why);
		return 1;
	}
	buf_init(&out, mem);
	buf_putc(&out, '{');
	if (str_eq(what, "fetch") && argc == 3)
		fetch(net, mem, argv[2], &out);
	else if (str_eq(what, "smtp") && argc > 3)
		smtp(net, mem, argv[2], argv + 3, &out);
	else if (str_eq(what, "probe"))
		probe(net, mem, &out);
	else
		return 2;
	puts(mem_printf(mem, "%s}", out.data));
	mem_free(mem);
	return 0;
}
