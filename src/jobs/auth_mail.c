/*
 * auth.mail: what somebody who is not signed in asked for by their address: an account, a new password, another link. The web
 * hashes what must be hashed, seals the whole and enqueues it, which is the same work for an address with an account and
 * for one without; only here is it looked up. So neither an answer nor its time tells whether an account exists.
 *
 * The link's token is made here and goes into the mail; its hash goes into the database. A try that is repeated makes another
 * one, and the mail that was sent last holds the one that works.
 */
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "jobs/jobs.h"
#include "jobs/mail_once.h"

/* What was asked, and what became of it. */
struct asked {
	struct json_object *form;
	const char *token, *token_hash;
};

static enum job_end send_link(struct job *j, struct json_object *account, const char *template_name, const char *path, int hours,
	const char *token)
{
	struct json_object *doc = json_own(j->mem, json_object_new_object());
	const char *name = json_str(account, "name");
	const char *link = token ? mem_printf(j->mem, "%s%s?token=%s", j->conf->public_url, path, token)
				 : mem_printf(j->mem, "%s%s", j->conf->public_url, path);
	struct mail_order order = { .template_name = template_name, .doc = doc, .to = json_str(account, "email"), .to_name = name };

	json_object_object_add(doc, "name", json_object_new_string(name ? name : ""));
	json_object_object_add(doc, "link", json_object_new_string(link));
	json_object_object_add(doc, "hours", json_object_new_int(hours));
	return mail_once(j, &order);
}

/* Runs one of the account queries with what was asked; its document, or NULL with *end. */
static struct json_object *ask(struct job *j, struct asked *a, const char *query, enum job_end *end)
{
	const char *const given[] = { "email", json_str(a->form, "email"), "name", json_str(a->form, "name"), "organization_name",
		json_str(a->form, "organization_name"), "zone", json_str(a->form, "zone"), "password_hash",
		json_str(a->form, "password_hash"), "token_hash", a->token_hash, NULL };
	struct db_result *rows = NULL;
	enum err e = job_write(j, query, given, &rows);

	*end = JOB_OK;
	if (e) {
		job_why(j, "%s: %s", query, err_info(e)->code);
		*end = JOB_RETRY;
		return NULL;
	}
	return db_text(rows, 0, "doc") ? json_trusted(j->mem, db_text(rows, 0, "doc")) : NULL;
}

static enum job_end run(struct job *j)
{
	const char *sealed = job_arg(j, "sealed");
	const char *text = sealed ? unseal(j->mem, j->conf->secret_key, AUTH_SEAL, sealed) : NULL;
	struct asked a = { .form = text ? json_trusted(j->mem, text) : NULL, .token = token_new(j->mem, "") };
	const char *what = a.form ? json_str(a.form, "what") : NULL;
	struct json_object *account;
	enum job_end end;

	if (!what) {
		job_why(j, "the request was sealed with another secret_key");
		return JOB_DEAD;
	}
	a.token_hash = token_hash(j->mem, a.token);
	account = ask(j, &a, what, &end);
	if (!account)
		return end; /* nobody has this address: nothing is sent, and nobody is told */
	if (str_eq(what, "auth_forgot"))
		return send_link(j, account, "mail/reset", "/reset", 24, a.token);
	if (str_eq(json_str(account, "outcome"), "exists"))
		return send_link(j, account, "mail/exists", "/forgot", 24, NULL);
	return send_link(j, account, "mail/verify", "/verify", 72, a.token);
}

const struct job_kind job_auth_mail = {
	.name = "auth.mail",
	.about = "opens an account or sends a link, as somebody who is not signed in asked",
	.queue = "mail",
	.priority = 0,
	.max_attempts = 12,
	.soft_s = 90,
	.keep_s = 86400,
	.run = run,
};
