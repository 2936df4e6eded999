#ifndef STINT_APP_MAIL_H
#define STINT_APP_MAIL_H
/*
 * Mail, through one interface: a template (templates/mail/NAME.txt, first line "Subject: …") over a document, to one address.
 * It is written as one RFC 5322 file into mail_dir, complete or not at all; what carries it on reads that folder.
 */
#include <json-c/json.h>
#include "app/app.h"
enum err mail_send(struct app *app, void *mem, const char *to, const char *template_name, struct json_object *doc);
/* The development stack's mailbox: {mails:[{id,to,subject,at}], mail: {…}|null}; id NULL lists alone. ERR_NOT_FOUND for an unknown id. */
enum err mail_box(struct app *app, void *mem, const char *id, struct json_object **doc);
#endif
