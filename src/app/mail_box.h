#ifndef STINT_APP_MAIL_BOX_H
#define STINT_APP_MAIL_BOX_H
/* The development stack's mailbox: the files in mail_dir, as people read them. It reads what mail.c wrote, and nothing else. */
#include <json-c/json.h>

#include "app/app.h"

/* {mails:[{id,to,subject,at}], mail: {…, headers:[{name,value}], text, links:[url]}|null}; id NULL lists alone. ERR_NOT_FOUND for an unknown id. */
enum err mail_box(const struct app *app, void *mem, const char *id, struct json_object **doc);
/* The HTML part of one, as it was sent. */
enum err mail_box_html(const struct app *app, void *mem, const char *id, const char **html);
#endif
