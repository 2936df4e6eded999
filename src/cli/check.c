/* stint check-queries and stint doctor: does what was built fit what is there? */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/routes.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "db/db.h"
#include "features/features.h"
#include "net/smtp.h"
#include "redis/redis.h"

/* What every query may ask for beyond path and fields; see call_param(). */
static const char *const always[] = { "input", "if_match", "credential", NULL };

static bool is_bound(const struct face *face, const char *param)
{
	char mark[80];

	snprintf(mark, sizeof mark, "{%s}", param);
	if (strstr(face->path, mark))
		return true;
	for (int i = 0; always[i]; i++) {
		if (str_eq(always[i], param))
			return true;
	}
	for (const struct field *f = face->route->fields; f && f->name; f++) {
		if (str_eq(f->name, param))
			return true;
	}
	return false;
}

static int check_bindings(void *mem)
{
	int n, bad = 0;
	const struct face *faces = routes_faces(routes_new(mem, feature_tables), &n);

	for (int i = 0; i < n; i++) {
		for (int k = 0; faces[i].query && k < faces[i].query->nparams; k++) {
			if (is_bound(&faces[i], faces[i].query->params[k]))
				continue;
			printf("%s: query %s wants :%s, which the route does not supply\n",
				faces[i].route->name, faces[i].query->name,
				faces[i].query->params[k]);
			bad++;
		}
	}
	return bad;
}

/* Planned as its role would, without being run. */
static bool is_planned(struct db *db, void *mem, const struct query *query)
{
	struct buf sql;
	struct db_fail f = { 0 };
	struct db_result *rows;
	const char **values = mem_array(mem, const char *, (size_t)query->nparams + 1);

	buf_init(&sql, mem);
	buf_puts(&sql, "EXPLAIN ");
	buf_puts(&sql, query->sql);
	/* Without a name: planned once and not kept. */
	const struct query explain = {
		.sql = sql.data, .params = query->params, .nparams = query->nparams
	};
	const struct db_stmt stmt = { .query = &explain, .values = values };

	return db_run(db, mem, &stmt, 1, true, &rows, &f) == OK;
}

int cli_check_queries(void *mem, const struct conf *conf)
{
	struct db *web = db_new(mem, conf->database_url, "stint check-queries");
	struct db *worker = db_new(mem, conf->worker_url, "stint check-queries");
	int n, bad = check_bindings(mem);
	const struct query *queries = query_all(&n);

	for (int i = 0; i < n; i++) {
		if (!is_planned(queries[i].worker ? worker : web, mem, &queries[i])) {
			printf("query %s cannot be prepared; the log line above says why\n",
				queries[i].name);
			bad++;
		}
	}
	printf("%d queries, %d wrong\n", n, bad);
	return bad ? 1 : 0;
}

static int say(const char *what, bool ok, const char *remedy)
{
	printf("%-10s %s%s%s\n", what, ok ? "ok" : "WRONG", ok ? "" : ": ", ok ? "" : remedy);
	return ok ? 0 : 1;
}

/* Options, and the mail server's own word, password included; without one, the folder. */
static int check_mail(void *mem, const struct conf *conf)
{
	const char *why = NULL;
	struct net *net = net_new(mem, conf, &why);
	int bad = say("outgoing", net, why);
	enum net_error e;

	if (!net)
		return bad;
	if (!net_smtp_configured(net))
		return say("mail", access(conf->mail_dir, W_OK) == 0, "mail_dir cannot be written to");
	e = net_smtp_probe(net, mem, &why);
	return say("mail", e == NET_OK, mem_printf(mem, "%s: %s; see smtp_url, smtp_tls, smtp_user", conf->smtp_url, why));
}

int cli_doctor(void *mem, const struct conf *conf)
{
	int bad = 0;

	bad += say("database", db_ping(db_new(mem, conf->database_url, "stint doctor")),
		"cannot be reached; see database_url");
	bad += say("redis", redis_ping(redis_new(mem, conf->redis_url, conf->redis_password)),
		"cannot be reached; see redis_url (time tracking works without it)");
	bad += check_mail(mem, conf);
	bad += say("templates", access(conf->templates_dir, R_OK) == 0,
		"templates_dir cannot be read");
	bad += say("assets", access(conf->assets_file, R_OK) == 0, "assets_file cannot be read");
	return bad ? 1 : 0;
}
