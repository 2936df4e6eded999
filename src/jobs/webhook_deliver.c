/*
 * webhook.deliver: one attempt to tell one endpoint of one event. Signed as Standard Webhooks has it; the address is judged when
 * the socket is opened (net/fetch.h), redirects are not followed.
 *
 * What came of an attempt is written down at once, in a transaction of its own when another one follows, with the settlement
 * when none does. So an endpoint may see the same webhook-id twice (this process dies between the answer and the note), and never
 * misses one. A delivery that was given up is an end like another and no fault of this job: operators have nothing to do with it.
 *
 * It must not log or keep a secret, nor what headers carried one.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/webhook_secret.h"
#include "jobs/jobs.h"
#include "jobs/tools.h"
#include "net/fetch.h"

#define EXCERPT_MAX ((size_t)1024)
#define ASKED_MOST_S 21600 /* of Retry-After */

/* Three days in all. Each is up to a tenth shorter or longer, so that what failed together does not come again together. */
static const int rests_s[] = { 10, 50, 240, 600, 2700, 3600, 7200, 14400, 28800, 43200, 72000, 86400 };
enum { RESTS = sizeof rests_s / sizeof *rests_s };

struct attempt {
	struct job *j;
	const char *delivery, *body;
	struct net_answer answer;
	const char *error; /* NULL, or in a word why it is no success */
};

/* Evenly in [-0.1, 0.1), made of the job's own random id and the attempt. */
static double jitter(const struct job *j)
{
	unsigned n = (unsigned)j->attempt * 2654435761U;

	for (const char *c = j->id; *c; c++)
		n = (n ^ (unsigned char)*c) * 16777619U;
	return (double)(n >> 8) / (1U << 24) * 0.2 - 0.1;
}

static double rest_s(const struct attempt *a)
{
	int at = a->j->attempt - 1 < RESTS ? a->j->attempt - 1 : RESTS - 1;
	double usual = rests_s[at] * (1 + jitter(a->j));
	int64_t asked = a->answer.status == 429 || a->answer.status == 503 ? net_answer_retry_s(&a->answer) : 0;

	if (asked > ASKED_MOST_S)
		asked = ASKED_MOST_S;
	return (double)asked > usual ? (double)asked : usual;
}

/* The beginning of what came back, as text that a database takes: whole characters, no NUL. */
static const char *excerpt(void *mem, const struct net_answer *answer)
{
	struct buf out;

	buf_init(&out, mem);
	for (size_t i = 0; i < answer->body_len;) {
		size_t n = str_utf8_one(answer->body + i, answer->body_len - i);

		if (out.len + (n ? n : 3) > EXCERPT_MAX)
			break;
		buf_add(&out, n ? answer->body + i : "\xef\xbf\xbd", n ? n : 3);
		i += n ? n : 1;
	}
	return out.data;
}

static void put(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, value ? json_object_new_string(value) : NULL);
}

static const char *given(struct attempt *a)
{
	void *mem = a->j->mem;
	struct json_object *o = json_own(mem, json_object_new_object());

	json_object_object_add(o, "status", a->answer.status ? json_object_new_int(a->answer.status) : NULL);
	put(o, "error", a->error);
	json_object_object_add(o, "took_ms", json_object_new_int64(a->answer.took_ms));
	put(o, "request_id", a->j->id);
	put(o, "request", a->body);
	put(o, "answer", a->answer.status ? excerpt(mem, &a->answer) : NULL);
	return json_text(mem, o);
}

/* Why it did not work, in one word for programs; NULL when it did. An answer that is too long is an answer all the same. */
static const char *fault(const struct net_answer *answer)
{
	if (answer->error != NET_OK && answer->error != NET_TOO_LARGE)
		return net_error_name(answer->error);
	return answer->status / 100 == 2 ? NULL : "status";
}

static enum job_end again(struct attempt *a)
{
	double rest = rest_s(a);
	const char *text = mem_printf(a->j->mem, "%f", rest);

	if (job_write(a->j, "webhooks_attempted",
		    (const char *const[]){ "delivery_id", a->delivery, "outcome", "waiting", "given", given(a), "rest_s", text, NULL }, NULL))
		log_warn("an attempt was not noted", "delivery_id", a->delivery, NULL);
	job_why(a->j, "%s", a->error);
	a->j->delay_s = rest;
	return JOB_RETRY;
}

static enum job_end end(struct attempt *a, const char *outcome)
{
	job_effect(a->j, "webhooks_attempted",
		(const char *const[]){ "delivery_id", a->delivery, "outcome", outcome, "given", given(a), "rest_s", NULL, NULL });
	return JOB_OK;
}

/* Both secrets while one is being replaced, apart by a blank. NULL: they were sealed with another key. */
static const char *signatures(struct attempt *a, const struct db_result *rows, int64_t now_s)
{
	static const char *const columns[] = { "secret", "old_secret" };
	void *mem = a->j->mem;
	const char *all = NULL;

	for (int i = 0; i < 2; i++) {
		const char *sealed = db_text(rows, 0, columns[i]);
		const char *secret = sealed ? webhook_secret_open(mem, a->j->conf->secret_key, db_text(rows, 0, "webhook_id"), sealed) : NULL;
		const char *one = secret ? webhook_sign(mem, secret, a->delivery, now_s, a->body, strlen(a->body)) : NULL;

		if (one)
			all = all ? mem_printf(mem, "%s %s", all, one) : one;
	}
	return all;
}

static void send(struct attempt *a, const struct db_result *rows)
{
	const struct job_tools *tools = a->j->arg;
	int64_t now_s = clock_now_us() / 1000000;
	const char *signature = signatures(a, rows, now_s);
	const struct net_header headers[] = {
		{ "Content-Type", "application/json" },
		{ "User-Agent", "Stint-Webhooks" },
		{ "webhook-id", a->delivery },
		{ "webhook-timestamp", mem_printf(a->j->mem, "%lld", (long long)now_s) },
		{ "webhook-signature", signature },
		{ 0 },
	};
	const struct net_request rq = {
		.method = "POST",
		.url = db_text(rows, 0, "url"),
		.headers = headers,
		.body = a->body,
		.body_len = strlen(a->body),
		.answer_max = EXCERPT_MAX,
		.total_ms = 10000,
	};

	if (!signature) {
		a->error = "secret";
		return;
	}
	net_fetch(tools->net, a->j->mem, &rq, &a->answer);
	a->error = fault(&a->answer);
}

static enum job_end run(struct job *j)
{
	struct attempt a = { .j = j, .delivery = job_arg(j, "delivery_id") };
	struct json_object *by_hand = json_object_object_get(j->args, "by_hand");
	struct db_result *rows = NULL;

	if (job_read(j, "webhooks_delivery_load", (const char *const[]){ "delivery_id", a.delivery, NULL }, &rows)) {
		job_why(j, "the delivery could not be read");
		return JOB_RETRY;
	}
	if (db_rows(rows) == 0)
		return end(&a, "cancelled"); /* its endpoint was deleted */
	if (!str_eq(db_text(rows, 0, "state"), "waiting"))
		return JOB_OK; /* another run had the last word */
	if (!json_object_get_boolean(by_hand) && !str_eq(db_text(rows, 0, "active"), "t"))
		return end(&a, "cancelled");
	a.body = db_text(rows, 0, "body");
	send(&a, rows);
	if (!a.error)
		return end(&a, "delivered");
	log_info("a webhook was not delivered", "delivery_id", a.delivery, "error", a.error, NULL);
	if (a.answer.status == 410)
		return end(&a, "gone");
	return j->is_last || str_eq(a.error, "secret") ? end(&a, "failed") : again(&a);
}

const struct job_kind job_webhook_deliver = {
	.name = "webhook.deliver",
	.about = "tells one webhook of one event",
	.queue = "outside",
	.priority = 6,
	.max_attempts = RESTS + 1,
	.soft_s = 30,
	.run = run,
};
