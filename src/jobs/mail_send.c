/*
 * mail.send: one mail, from a template and a document. Whoever enqueues it (app/mail.h) seals both, because a link that lets
 * somebody choose a new password must not lie readable in a table, a backup or a list of jobs. The exemplar of a job.
 */
#include "base/json.h"
#include "base/mem.h"
#include "crypto/crypto.h"
#include "jobs/jobs.h"
#include "jobs/mail_once.h"

static enum job_end run(struct job *j)
{
	const char *sealed = job_arg(j, "sealed");
	const char *text = sealed ? unseal(j->mem, j->conf->secret_key, MAIL_SEAL, sealed) : NULL;
	struct json_object *letter = text ? json_trusted(j->mem, text) : NULL;
	struct mail_order order;

	if (!letter) {
		job_why(j, "the mail was sealed with another secret_key");
		return JOB_DEAD;
	}
	order = (struct mail_order){
		.template_name = json_str(letter, "template"),
		.to = json_str(letter, "to"),
		.to_name = json_str(letter, "to_name"),
		.language = json_str(letter, "language"),
		.doc = json_object_object_get(letter, "doc"),
	};
	return mail_once(j, &order);
}

const struct job_kind job_mail_send = {
	.name = "mail.send",
	.about = "sends one mail",
	.queue = "mail",
	.priority = 0,
	.max_attempts = 12,
	.soft_s = 90,
	.keep_s = 86400,
	.run = run,
};
