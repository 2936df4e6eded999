#ifndef STINT_VIEW_MAIL_COMPOSE_H
#define STINT_VIEW_MAIL_COMPOSE_H
/*
 * A mail: a template over a document in, the bytes of one RFC 5322 message out. Pure: who asks gives clock and id, and
 * whoever gets the bytes writes or sends them.
 *
 * One source a mail, templates/mail/NAME.html over the layout mail/layout, of which this makes both parts of
 * multipart/alternative: text is the same markup read aloud (mail_text.h). The layout fills these blocks and names:
 *
 *   {{$subject}}, {{$body}}    paragraphs, lists, small tables: <p> <br> <ul> <ol> <li> <table> <tr> <th> <td> <b> <a>
 *   {{link}}, {{$action}}      the one button: where it leads, and its label. Without link there is none
 *   {{$after}}                 paragraphs below the button
 *   {{$reason}}                last line: why this mail came
 *   {{^html}}…{{/html}}        what stands in the text alone ({{#html}} in HTML alone)
 *
 * No value can add a header: control characters in them become blanks, and what is no address fails.
 */
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/view.h"

struct mail_letter {
	const char *template_name;    /* "mail/verify" */
	struct json_object *doc;      /* names of the template; may be NULL */
	const struct view_env *env;   /* language, zone and clock of who reads it */
	const char *to, *to_name;     /* bare address; the name may be NULL */
	const char *from;             /* "Stint <stint@example.org>" or a bare address: the option mail_from */
	const char *from_name;        /* instead of that one's name: an organization; may be NULL */
	const char *reply_to;         /* bare address; may be NULL */
	const char *unsubscribe_url;  /* https; List-Unsubscribe, one click (RFC 8058), and a link in the footer; may be NULL */
	const char *public_url;       /* footer, and the host of the Message-ID */
	const char *id;               /* left of the @ in the Message-ID: a UUID, or "job.7" */
	int64_t date_us;
};

struct mail_bytes {
	const char *from, *to;        /* envelope: bare addresses */
	const char *subject;          /* decoded, for logs of the development stack */
	const char *message_id;       /* with its angle brackets */
	const char *data;             /* lines end with CRLF; ASCII alone */
	size_t len;
};

/* All below mem. false, *why says what is wrong: template, address or header. */
bool mail_compose(void *mem, const struct views *views, const struct mail_letter *letter, struct mail_bytes *out, const char **why);
#endif
