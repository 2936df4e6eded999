/*
 * notification.mail: what a person was to be told by mail and has not read yet, gathered into one. Marking them as mailed is an
 * effect of the job, so a mail that could not be sent leaves them pending for the next try.
 */
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "crypto/crypto.h"
#include "jobs/jobs.h"
#include "jobs/mail_once.h"

/* The link that stops these mails; read by features/notifications.c. */
static const char *unsubscribe_url(struct job *j, const char *member)
{
	const char *whose = mem_printf(j->mem, "%s.%s", j->organization_id, member);

	return mem_printf(j->mem, "%s/unsubscribe?for=%s.%s", j->conf->public_url, whose,
		mac(j->mem, j->conf->secret_key, UNSUBSCRIBE_SEAL, whose));
}

static void mark(struct job *j, const char *member, struct json_object *ids)
{
	struct buf text;

	buf_init(&text, j->mem);
	buf_putc(&text, '{');
	for (size_t i = 0; i < json_object_array_length(ids); i++)
		buf_printf(&text, "%s%s", i ? "," : "", json_object_get_string(json_object_array_get_idx(ids, i)));
	buf_putc(&text, '}');
	job_effect(j, "notifications_mailed", (const char *const[]){ "member_id", member, "ids", text.data, NULL });
}

static enum job_end run(struct job *j)
{
	const char *member = job_arg(j, "member_id");
	struct db_result *rows = NULL;
	struct json_object *doc, *lines;
	struct mail_order order;

	if (job_read(j, "notification_mail", (const char *const[]){ "member_id", member, NULL }, &rows))
		return JOB_RETRY;
	if (db_rows(rows) == 0 || !db_text(rows, 0, "doc"))
		return JOB_OK; /* gone, or may not be written to any more */
	doc = json_trusted(j->mem, db_text(rows, 0, "doc"));
	if (!json_object_object_get(doc, "ids"))
		return JOB_OK;
	mark(j, member, json_object_object_get(doc, "ids"));
	lines = json_object_object_get(doc, "lines");
	if (json_object_array_length(lines) == 0)
		return JOB_OK; /* all of it was read meanwhile */
	json_object_object_add(doc, "link", json_object_new_string(mem_printf(j->mem, "%s/notifications", j->conf->public_url)));
	json_object_object_add(doc, "one", json_object_new_boolean(json_object_array_length(lines) == 1));
	order = (struct mail_order){
		.template_name = "mail/notifications",
		.doc = doc,
		.to = json_str(doc, "email"),
		.to_name = json_str(doc, "name"),
		.language = json_str(doc, "language"),
		.zone = json_str(doc, "zone"),
		.from_name = json_str(doc, "organization"),
		.unsubscribe_url = unsubscribe_url(j, member),
	};
	return mail_once(j, &order);
}

const struct job_kind job_notification_mail = {
	.name = "notification.mail",
	.about = "tells a person by mail what they have not read yet",
	.queue = "mail",
	.priority = 6,
	.max_attempts = 10,
	.soft_s = 90,
	.keep_s = 86400,
	.run = run,
};
