/*
 * One template, three passes: subject, text, HTML. The layout is told which is wanted; subject and text come as markup too
 * and are read aloud, so that a template is written once and its parts cannot say different things.
 *
 * It must not ask for clock, names or configuration: what it gets is all it uses, and the same in gives the same bytes out.
 */
#include "view/mail_compose.h"

#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "view/mail_text.h"
#include "view/mime.h"

struct writing {
	void *mem;
	const struct views *views;
	const struct mail_letter *letter;
	struct json_object *frame;
	const char *from, *from_name; /* parted */
	const char *why;
};

static bool fault(struct writing *w, const char *why)
{
	w->why = why;
	return false;
}

/* --- rendering */

static void put(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, value && *value ? json_object_new_string(value) : NULL);
}

static struct json_object *frame_of(const struct writing *w)
{
	const struct mail_letter *letter = w->letter;
	struct json_object *frame = json_own(w->mem, json_object_new_object());

	put(frame, "language", letter->env->language);
	put(frame, "sender", w->from_name ? w->from_name : "Stint");
	put(frame, "public_url", letter->public_url);
	put(frame, "unsubscribe_url", letter->unsubscribe_url);
	put(frame, "subject_line", "");
	if (!letter->doc || !json_object_object_get_ex(letter->doc, "link", NULL))
		put(frame, "link", NULL);
	return frame;
}

static const char *pass(struct writing *w, const char *wanted)
{
	static const char *const passes[] = { "wants_subject", "wants_text", "wants_html" };
	struct json_object *stack[] = { w->letter->doc, w->frame };
	int depth = w->letter->doc ? 2 : 1;
	struct buf out;

	for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
		json_object_object_add(w->frame, passes[i],
			json_object_new_boolean(str_eq(passes[i], wanted)));
	json_object_object_add(w->frame, "html", json_object_new_boolean(str_eq(wanted, "wants_html")));
	buf_init(&out, w->mem);
	return view_render(w->views, w->letter->template_name, w->letter->env, stack + 2 - depth,
		depth, &out, &w->why) ? out.data : NULL;
}

/* --- headers */

/* "Stint <stint@example.org>", "\"Stint, Inc.\" <…>" or the address alone. */
static bool part_from(struct writing *w)
{
	const char *from = w->letter->from, *open = strrchr(from, '<');
	const char *close = open ? strchr(open, '>') : NULL;
	char *name = NULL;

	w->from = close && !close[1] ? mem_strndup(w->mem, open + 1, (size_t)(close - open - 1)) : from;
	if (close)
		name = str_trim(w->mem, mem_strndup(w->mem, from, (size_t)(open - from)));
	if (name && name[0] == '"' && strlen(name) > 1 && str_ends(name, "\""))
		name = mem_strndup(w->mem, name + 1, strlen(name) - 2);
	w->from_name = w->letter->from_name && *w->letter->from_name ? w->letter->from_name : name;
	return mime_is_address(w->from) ||
		fault(w, "mail_from holds no address; write Stint <stint@example.org>");
}

static const char *host_of(void *mem, const char *url)
{
	const char *host = strstr(url, "://") ? strstr(url, "://") + 3 : url;
	size_t len = strcspn(host, ":/?#");
	size_t good = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

	return len && good >= len ? mem_strndup(mem, host, len) : "localhost";
}

static const char *date_of(void *mem, int64_t us)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm = { 0 };

	gmtime_r(&seconds, &tm);
	return mem_printf(mem, "%s, %02d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
		months[tm.tm_mon], tm.tm_year + 1900,
		tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static bool is_printable(const char *s, const char *but)
{
	for (const char *c = s; *c; c++) {
		if (*c <= 0x20 || *c >= 0x7f || strchr(but, *c))
			return false;
	}
	return *s && strlen(s) < 900;
}

static bool letter_judge(struct writing *w)
{
	const struct mail_letter *letter = w->letter;

	if (!mime_is_address(letter->to))
		return fault(w, "the recipient is no address");
	if (letter->reply_to && !mime_is_address(letter->reply_to))
		return fault(w, "reply_to is no address");
	if (letter->unsubscribe_url && !is_printable(letter->unsubscribe_url, "<>,"))
		return fault(w, "unsubscribe_url is no address that a header can hold");
	if (!is_printable(letter->id, "<>@()[]\\,;:\"=") || strlen(letter->id) > 60)
		return fault(w, "the id has characters that no Message-ID has");
	return part_from(w);
}

static void put_headers(struct writing *w, struct buf *out, const struct mail_bytes *mail)
{
	const struct mail_letter *letter = w->letter;

	mime_address(out, "From", w->from_name, w->from);
	mime_address(out, "To", letter->to_name, letter->to);
	if (letter->reply_to)
		mime_address(out, "Reply-To", NULL, letter->reply_to);
	mime_text(out, "Subject", mail->subject);
	buf_printf(out, "Date: %s\r\n", date_of(w->mem, letter->date_us));
	mime_raw(out, "Message-ID", mail->message_id);
	buf_puts(out, "Auto-Submitted: auto-generated\r\n");
	if (letter->unsubscribe_url) {
		mime_raw(out, "List-Unsubscribe", mem_printf(w->mem, "<%s>", letter->unsubscribe_url));
		mime_raw(out, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
	}
	buf_printf(out,
		"MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"=_%s\"\r\n\r\n",
		letter->id);
}

static const char *one_line(void *mem, char *text)
{
	for (char *c = text; *c; c++)
		*c = *c == '\n' ? ' ' : *c;
	return str_trim(mem, text);
}

static bool write_mail(struct writing *w, struct mail_bytes *mail)
{
	const struct mail_letter *letter = w->letter;
	const char *subject, *text, *html;
	struct buf out;

	if (!letter_judge(w))
		return false;
	w->frame = frame_of(w);
	subject = pass(w, "wants_subject");
	if (!subject)
		return false;
	mail->subject = one_line(w->mem, mail_text(w->mem, subject));
	put(w->frame, "subject_line", mail->subject);
	text = pass(w, "wants_text");
	html = text ? pass(w, "wants_html") : NULL;
	if (!html)
		return false;
	mail->from = w->from;
	mail->to = letter->to;
	mail->message_id = mem_printf(w->mem, "<%s@%s>", letter->id, host_of(w->mem, letter->public_url));
	buf_init(&out, w->mem);
	put_headers(w, &out, mail);
	buf_printf(&out, "--=_%s\r\n", letter->id);
	mime_part(&out, "text/plain", mail_text(w->mem, text));
	buf_printf(&out, "--=_%s\r\n", letter->id);
	mime_part(&out, "text/html", html + strspn(html, "\n"));
	buf_printf(&out, "--=_%s--\r\n", letter->id);
	mail->data = out.data;
	mail->len = out.len;
	return true;
}

bool mail_compose(void *mem, const struct views *views, const struct mail_letter *letter,
	struct mail_bytes *out, const char **why)
{
	struct writing w = { .mem = mem, .views = views, .letter = letter };

	*out = (struct mail_bytes){ 0 };
	if (write_mail(&w, out))
		return true;
	*why = w.why ? w.why : "the template failed";
	return false;
}
