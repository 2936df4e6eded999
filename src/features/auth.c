/*
 * Signing up, in and out. These are real flows: passwords are hashed here (in a pool of their own), what needs a mail is left to
 * a job, and an answer never tells whether an account exists, neither by its words nor by its time.
 */
#include "features/features.h"

#include <string.h>

#include "app/call.h"
#include "app/mail.h"
#include "app/page.h"
#include "app/throttle.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "features/common.h"

static const struct shape shape_token = {
	.name = "Token",
	.attrs = (const struct attr[]){ TEXT("access_token"), TEXT("token_type"), SECONDS("expires_in"),
		{ 0 } },
};

static const struct shape shape_sent = {
	.name = "Sent",
	.attrs = (const struct attr[]){ TEXT("status"), { 0 } },
};

#define EMAIL \
	{ \
		.name = "email", .type = FIELD_EMAIL, .flags = F_REQUIRED \
	}
#define NEW_PASSWORD \
	{ \
		.name = "password", .type = FIELD_PASSWORD, .flags = F_REQUIRED, .min = 10, .max = 200 \
	}
#define LINK_TOKEN \
	{ \
		.name = "token", .type = FIELD_TEXT, .flags = F_REQUIRED, .max = 100 \
	}

static const struct field register_fields[] = {
	{ .name = "name", .type = FIELD_TEXT, .flags = F_REQUIRED, .max = 100 },
	EMAIL,
	NEW_PASSWORD,
	{ .name = "organization_name", .type = FIELD_TEXT, .flags = F_REQUIRED, .max = 100 },
	{ .name = "zone", .type = FIELD_ZONE, .dflt = "UTC" },
	{ 0 },
};

static const struct field login_fields[] = {
	EMAIL,
	{ .name = "password", .type = FIELD_PASSWORD, .flags = F_REQUIRED },
	{ .name = "next", .type = FIELD_TEXT, .flags = F_PAGE, .max = 500 },
	{ 0 },
};

static const struct field login_page_fields[] = {
	{ .name = "next", .type = FIELD_TEXT, .max = 500 },
	{ 0 },
};

static const struct field forgot_fields[] = { EMAIL, { 0 } };
static const struct field reset_fields[] = { LINK_TOKEN, NEW_PASSWORD, { 0 } };
static const struct field verify_fields[] = { LINK_TOKEN, { 0 } };

static const struct field link_page_fields[] = {
	{ .name = "token", .type = FIELD_TEXT, .max = 100 },
	{ 0 },
};

static const struct field switch_fields[] = {
	{ .name = "organization_id", .type = FIELD_UUID, .flags = F_REQUIRED },
	{ 0 },
};

static void answer_sent(struct call *c)
{
	c->status = 202;
	c->doc = "{\"status\":\"sent\"}";
}

static void put(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, value ? json_object_new_string(value) : NULL);
}

/*
 * Leaves what was asked to jobs/auth_mail.c, sealed: whether the address has an account is looked up there, so neither the words of
 * this answer nor its time tell. what is the query that does the work.
 */
static enum err leave(struct call *c, const char *what, const char *hash)
{
	static const char *const fields[] = { "email", "name", "organization_name", "zone", NULL };
	struct json_object *form = json_own(c->rq->mem, json_object_new_object());
	struct json_object *args = json_own(c->rq->mem, json_object_new_object());
	struct db_result *rows;

	put(form, "what", what);
	put(form, "password_hash", hash);
	for (int i = 0; fields[i]; i++)
		put(form, fields[i], call_text(c, fields[i]));
	put(args, "sealed", seal(c->rq->mem, c->app->conf->secret_key, AUTH_SEAL, json_text(c->rq->mem, form)));
	const struct pair given[] = {
		{ "kind", "auth.mail" },
		{ "args", json_text(c->rq->mem, args) },
		{ "options", NULL },
	};

	return call_query(c, "jobs_enqueue", given, 3, &rows);
}

static enum err leave_throttled(struct call *c, const char *what, bool hash)
{
	const char *email = call_text(c, "email");
	enum err e = throttle_check(c, "mail", email);

	if (e)
		return e;
	throttle_count(c, "mail", email);
	e = leave(c, what, hash ? password_hash(c->rq->mem, call_text(c, "password")) : NULL);
	if (!e)
		answer_sent(c);
	return e;
}

static enum err auth_register(struct call *c)
{
	return leave_throttled(c, "auth_register", true);
}

static enum err auth_forgot(struct call *c)
{
	return leave_throttled(c, "auth_forgot", false);
}

/* The right password of an address nobody has proved yet: a new link goes out. */
static enum err login_unverified(struct call *c)
{
	enum err e = leave(c, "auth_verify_again", NULL);

	return e ? e : fail(c, ERR_EMAIL_UNVERIFIED, NULL);
}

static enum err login_rehash(struct call *c, const struct db_result *account)
{
	struct db_result *rows;

	if (!password_needs_rehash(db_text(account, 0, "password_hash")))
		return OK;
	const struct pair given[] = {
		{ "user_id", db_text(account, 0, "user_id") },
		{ "password_hash", password_hash(c->rq->mem, call_text(c, "password")) },
	};

	return call_query(c, "auth_rehash", given, 2, &rows);
}

static enum err session_start(struct call *c, const char *user_id, const char *token)
{
	const char *agent = request_header(c->rq, "User-Agent");
	const struct pair given[] = {
		{ "user_id", user_id },
		{ "organization_id", NULL },
		{ "kind", c->page ? "session" : "token" },
		{ "hash", token_hash(c->rq->mem, token) },
		{ "user_agent", agent ? agent : "" },
		{ "ip", c->rq->remote_addr },
		{ "days", mem_printf(c->rq->mem, "%lld", (long long)c->app->conf->session_days) },
	};
	struct db_result *rows;

	return call_query(c, "auth_session_create", given, 7, &rows);
}

static void answer_token(struct call *c, const char *token)
{
	int64_t seconds = c->app->conf->session_days * 86400;
	struct json_object *doc;

	if (c->page) {
		res_cookie(c->rq, SESSION_COOKIE, token, seconds);
		return;
	}
	doc = json_own(c->rq->mem, json_object_new_object());
	json_object_object_add(doc, "access_token", json_object_new_string(token));
	json_object_object_add(doc, "token_type", json_object_new_string("Bearer"));
	json_object_object_add(doc, "expires_in", json_object_new_int64(seconds));
	c->document = doc;
}

static enum err auth_login(struct call *c)
{
	const char *email = call_text(c, "email"), *token = token_new(c->rq->mem, "stint_");
	const struct pair given[] = { { "email", email } };
	struct db_result *account;
	enum err e = throttle_check(c, "signin", email);
	bool known;

	if (!e)
		e = call_query(c, "auth_account", given, 1, &account);
	if (e)
		return e;
	known = db_rows(account) > 0;
	if (!password_verify(known ? db_text(account, 0, "password_hash") : NULL,
		    call_text(c, "password"))) {
		throttle_count(c, "signin", email);
		return fail(c, ERR_CREDENTIALS, NULL);
	}
	throttle_forget(c, "signin", email);
	if (!str_eq(db_text(account, 0, "verified"), "t"))
		return login_unverified(c);
	e = login_rehash(c, account);
	if (!e)
		e = session_start(c, db_text(account, 0, "user_id"), token);
	if (e)
		return e;
	answer_token(c, token);
	c->redirect = c->page ? page_local_path(call_text(c, "next")) : NULL;
	return OK;
}

static enum err auth_logout(struct call *c)
{
	struct db_result *rows;
	enum err e = call_query(c, "auth_logout", NULL, 0, &rows);

	if (!e && c->by_cookie)
		res_cookie(c->rq, SESSION_COOKIE, "", -1);
	return e;
}

static enum err auth_switch(struct call *c)
{
	const char *token = token_new(c->rq->mem, "stint_");
	const struct pair given[] = { { "new_hash", token_hash(c->rq->mem, token) } };
	struct db_result *rows;
	enum err e = call_query(c, "auth_switch", given, 1, &rows);

	if (e)
		return e;
	if (c->by_cookie)
		res_cookie(c->rq, SESSION_COOKIE, token, c->app->conf->session_days * 86400);
	if (!c->page && !c->by_cookie)
		answer_token(c, token);
	return OK;
}

static enum err auth_reset(struct call *c)
{
	const struct pair given[] = {
		{ "token_hash", token_hash(c->rq->mem, call_text(c, "token")) },
		{ "password_hash", password_hash(c->rq->mem, call_text(c, "password")) },
	};
	struct db_result *rows;

	return call_query(c, "auth_reset", given, 2, &rows);
}

static enum err auth_verify(struct call *c)
{
	const struct pair given[] = { { "token_hash",
		token_hash(c->rq->mem, call_text(c, "token")) } };
	struct db_result *rows;

	return call_query(c, "auth_verify_email", given, 1, &rows);
}

#define PUBLIC_PAGE(route_name, path, template_name, page_title) \
	.name = route_name, .page = path, .need = PERM_PUBLIC, .flags = ROUTE_STATIC, \
	.view = template_name, .title = page_title

const struct route auth_routes[] = {
	{
		PUBLIC_PAGE("auth.register_page", "GET /register", "auth/register", N_("Create an account")),
		.forms = { "auth.register" },
	},
	{ PUBLIC_PAGE("auth.register_sent", "GET /register/sent", "auth/register_sent", N_("Check your mail")) },
	{
		PUBLIC_PAGE("auth.login_page", "GET /login", "auth/login", N_("Sign in")),
		.fields = login_page_fields,
		.forms = { "auth.login" },
	},
	{
		PUBLIC_PAGE("auth.forgot_page", "GET /forgot", "auth/forgot", N_("Forgot the password")),
		.forms = { "auth.forgot" },
	},
	{ PUBLIC_PAGE("auth.forgot_sent", "GET /forgot/sent", "auth/forgot_sent", N_("Check your mail")) },
	{
		PUBLIC_PAGE("auth.reset_page", "GET /reset", "auth/reset", N_("Choose a new password")),
		.fields = link_page_fields,
		.forms = { "auth.reset" },
	},
	{
		PUBLIC_PAGE("auth.verify_page", "GET /verify", "auth/verify", N_("Confirm your email")),
		.fields = link_page_fields,
		.forms = { "auth.verify" },
	},
	{
		.name = "auth.register",
		.summary = "Create an account; a link to confirm it goes out by mail",
		.api = "POST /auth/register",
		.page = "POST /register",
		.need = PERM_PUBLIC,
		.flags = ROUTE_WRITE | ROUTE_AUTH_POOL | ROUTE_SENDS,
		.fields = register_fields,
		.reply = &shape_sent,
		.on = "auth.register_page",
		.then = "/register/sent",
		.fn = auth_register,
	},
	{
		.name = "auth.login",
		.summary = "Sign in",
		.api = "POST /auth/login",
		.page = "POST /login",
		.need = PERM_PUBLIC,
		.flags = ROUTE_WRITE | ROUTE_AUTH_POOL,
		.fields = login_fields,
		.reply = &shape_token,
		.on = "auth.login_page",
		.then = "/",
		.fn = auth_login,
	},
	{
		.name = "auth.logout",
		.summary = "Sign out: this session or token ends",
		.api = "POST /auth/logout",
		.page = "POST /logout",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_WRITE,
		.then = "/login",
		.fn = auth_logout,
	},
	{
		.name = "auth.switch",
		.summary = "Go on in another organization; the old token ends",
		.api = "POST /auth/switch",
		.page = "POST /switch",
		.need = PERM_SIGNED_IN,
		.flags = ROUTE_WRITE,
		.fields = switch_fields,
		.reply = &shape_token,
		.then = "/",
		.fn = auth_switch,
	},
	{
		.name = "auth.forgot",
		.summary = "Send a link to choose a new password",
		.api = "POST /auth/password/forgot",
		.page = "POST /forgot",
		.need = PERM_PUBLIC,
		.flags = ROUTE_WRITE | ROUTE_SENDS,
		.fields = forgot_fields,
		.reply = &shape_sent,
		.on = "auth.forgot_page",
		.then = "/forgot/sent",
		.fn = auth_forgot,
	},
	{
		.name = "auth.reset",
		.summary = "Choose a new password by the link's token; ends all sessions and tokens",
		.api = "POST /auth/password/reset",
		.page = "POST /reset",
		.need = PERM_PUBLIC,
		.flags = ROUTE_WRITE | ROUTE_AUTH_POOL,
		.fields = reset_fields,
		.on = "auth.reset_page",
		.then = "/login",
		.done = N_("Password saved. Sign in with it."),
		.fn = auth_reset,
	},
	{
		.name = "auth.verify",
		.summary = "Confirm the email address by the link's token",
		.api = "POST /auth/verify-email",
		.page = "POST /verify",
		.need = PERM_PUBLIC,
		.flags = ROUTE_WRITE,
		.fields = verify_fields,
		.on = "auth.verify_page",
		.then = "/login",
		.done = N_("Email confirmed. Sign in to begin."),
		.fn = auth_verify,
	},
	{ 0 },
};
