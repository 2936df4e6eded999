/* See mail.h. Files are named by UUIDv7, so the folder sorts by time; a dot file is renamed when it is whole. */
#include "app/mail.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/uuid.h"

bool mail_make(void *mem, const struct conf *conf, const struct views *views,
	const struct mail_order *order, struct mail_bytes *mail)
{
	const struct view_env env = {
		.zone = order->zone ? order->zone : "UTC",
		.language = order->language ? order->language : "en",
		.clock_12h = order->clock_12h,
		.decimal_durations = order->decimal_durations,
		.now_us = clock_now_us(),
	};
	char id[UUID_TEXT];
	const char *why = NULL;
	const struct mail_letter letter = {
		.template_name = order->template_name,
		.doc = order->doc,
		.env = &env,
		.to = order->to,
		.to_name = order->to_name,
		.from = conf->mail_from,
		.from_name = order->from_name,
		.reply_to = order->reply_to,
		.unsubscribe_url = order->unsubscribe_url,
		.public_url = conf->public_url,
		.id = order->id ? order->id : id,
		.date_us = env.now_us,
	};

	uuid_v7(id);
	if (mail_compose(mem, views, &letter, mail, &why))
		return true;
	log_error("mail not composed", "template", order->template_name, "why", why, NULL);
	return false;
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd) == 0;
}

static bool write_file(void *mem, const char *dir, const struct mail_bytes *mail)
{
	char id[UUID_TEXT];
	const char *draft;
	bool ok;
	int fd;

	uuid_v7(id);
	draft = mem_printf(mem, "%s/.%s.eml", dir, id);
	fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return false;
	ok = write_all(fd, mail->data, mail->len);
	ok = close(fd) == 0 && ok && rename(draft, mem_printf(mem, "%s/%s.eml", dir, id)) == 0;
	if (!ok)
		unlink(draft);
	return ok;
}

static void deliver_file(void *mem, const struct conf *conf, const struct mail_bytes *mail,
	struct net_mail_result *result)
{
	struct net_mail_to *to = mem_new(mem, struct net_mail_to);

	*to = (struct net_mail_to){ .address = mail->to, .words = "" };
	*result = (struct net_mail_result){ .why = "", .to = to, .count = 1 };
	if (write_file(mem, conf->mail_dir, mail))
		return;
	to->outcome = result->outcome = NET_MAIL_LATER;
	result->error = NET_BROKEN;
	result->why = mem_printf(mem, "%s cannot be written to", conf->mail_dir);
}

enum net_mail_outcome mail_deliver(void *mem, const struct conf *conf, struct net *net,
	const struct mail_bytes *mail,
	struct net_mail_result *result)
{
	const char *const to[] = { mail->to, NULL };
	const struct net_mail sent = { .from = mail->from, .to = to, .data = mail->data, .len = mail->len };

	if (net_smtp_configured(net))
		net_smtp_send(net, mem, &sent, result);
	else
		deliver_file(mem, conf, mail, result);
	if (result->outcome != NET_MAIL_SENT)
		log_error("mail not delivered", "message_id", mail->message_id, "error",
			net_error_name(result->error), "why", result->why,
			"again", result->outcome == NET_MAIL_LATER ? "yes" : "no", NULL);
	return result->outcome;
}
