#ifndef STINT_APP_MAIL_H
#define STINT_APP_MAIL_H
/*
 * Mail: composed (view/mail_compose.h) with what the configuration says, and handed on: to the mail server of smtp_url, or, when
 * that is empty, as one file a mail into mail_dir, complete or not at all, for another program to carry on.
 *
 *	const struct mail_order order = { .template_name = "mail/verify", .doc = doc, .to = email, .to_name = name };
 *	struct mail_bytes mail;
 *	if (!mail_make(mem, conf, views, &order, &mail)) …          a template or address is wrong, and is in the log
 *	e = mail_deliver(mem, conf, net, &mail, &result);
 */
#include <json-c/json.h>

#include "app/app.h"
#include "net/net.h"
#include "net/smtp.h"
#include "view/mail_compose.h"

/* Purposes of seals: what auth.mail reads, and the link that stops notifications by mail. */
#define AUTH_SEAL "auth"
#define UNSUBSCRIBE_SEAL "unsubscribe"

/* NULL is right for all but template, to and what the template names. */
struct mail_order {
	const char *template_name;
	struct json_object *doc;
	const char *to, *to_name;
	const char *language, *zone;  /* of who reads it; "en", "UTC" */
	bool clock_12h, decimal_durations;
	const char *from_name;        /* the organization's; else the name in mail_from */
	const char *reply_to;
	const char *unsubscribe_url;
	const char *id;               /* the same for every try at the same mail ("job.7"), so that what arrives twice is seen to; else a new one */
};

/* false: nobody can send this mail as it is; why is in the log. All below mem. */
bool mail_make(void *mem, const struct conf *conf, const struct views *views, const struct mail_order *order, struct mail_bytes *mail);

/* One try. result tells what the server said; a file in mail_dir is NET_MAIL_SENT, none NET_MAIL_LATER. What failed is in the log. */
enum net_mail_outcome mail_deliver(void *mem, const struct conf *conf, struct net *net, const struct mail_bytes *mail,
	struct net_mail_result *result);
#endif
