/*
 * One mail, sent once. The ledger's row is committed before the server is asked, and again after it has answered; both under the
 * job's lease, so that a runner which was given up cannot send. What cannot be known (the line was cut behind the last byte, or
 * the process died before it could write down the answer) is sent again under the same Message-ID.
 */
#include "jobs/mail_once.h"

#include "base/mem.h"
#include "base/str.h"
#include "jobs/tools.h"

/* Whether the mail is still to be sent; *end says how the job ends when not. */
static bool begin(struct job *j, const struct mail_order *order, enum job_end *end)
{
	struct db_result *rows = NULL;
	const char *was;

	if (job_write(j, "mail_begin",
		    (const char *const[]){ "job_id", j->id, "template", order->template_name, "recipient", order->to, NULL }, &rows)) {
		job_why(j, "the ledger of mails could not be written");
		*end = JOB_RETRY;
		return false;
	}
	was = db_text(rows, 0, "was");
	*end = str_eq(was, "refused") ? JOB_DEAD : JOB_OK;
	return !str_eq(was, "sent") && !str_eq(was, "refused");
}

static void note(struct job *j, const char *state, const struct net_mail_result *result)
{
	const char *code = result->code ? mem_printf(j->mem, "%d", result->code) : NULL;

	/* Should this be lost the mail is sent again: said in the essay above. */
	job_write(j, "mail_end", (const char *const[]){ "job_id", j->id, "state", state, "code", code, "words", result->why, NULL },
		NULL);
}

enum job_end mail_once(struct job *j, struct mail_order *order)
{
	const struct job_tools *tools = j->arg;
	struct net_mail_result result;
	struct mail_bytes mail;
	enum job_end end;

	order->id = mem_printf(j->mem, "job.%s", j->id);
	if (!mail_make(j->mem, j->conf, tools->views, order, &mail)) {
		job_why(j, "the mail cannot be composed; the log says why");
		return JOB_DEAD;
	}
	if (!begin(j, order, &end))
		return end;
	switch (mail_deliver(j->mem, j->conf, tools->net, &mail, &result)) {
	case NET_MAIL_SENT:
		note(j, "sent", &result);
		return JOB_OK;
	case NET_MAIL_LATER:
		note(j, "later", &result);
		job_why(j, "%s", result.why);
		return JOB_RETRY;
	case NET_MAIL_REFUSED:
		break;
	}
	note(j, "refused", &result);
	job_why(j, "%s", result.why);
	return JOB_DEAD;
}
