/*
 * The baseline of ./dev bench: what libfcgi and libpq can do on this machine behind the same nginx, with nothing of Stint.
 *
 * usage: bare SOCKET WORKERS ADMIN-CONNINFO WEB-CONNINFO ORGANIZATION MEMBER CALLER
 *
 * Pre-forked workers accept with FCGX_Accept_r, run one prepared statement with PQexecPrepared and send the JSON it
 * gives. No sessions, no permissions, no parsing, no log, no limits: it is a floor to compare with and no
 * example to follow. The statements are
 *   /bench/bare/timer/ORGANIZATION/ENTRY   SELECT by primary key, as a superuser and so without row level security
 *   /bench/bare/start/ORGANIZATION/MEMBER  INSERT of a running entry, committed by itself
 *   /bench/bare/stop/ORGANIZATION/MEMBER   UPDATE of it
 *   /bench/bare/list                       Stint's own query of the list, under row level security; who asks was said once, when the
 *                                          connection was made (ORGANIZATION, MEMBER and CALLER of the command line)
 */
#include <errno.h>
#include <fcgiapp.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db.h"

#define PREFIX "/bench/bare/"
#define DOC \
	"json_build_object('id', id, 'version', version, 'member_id', member_id, 'project_id', project_id, 'task_id', NULL," \
	" 'description', description, 'tags', to_json(tag_ids), 'billable', billable, 'type', type," \
	" 'started_at', app.instant(started_at), 'ended_at', app.instant(ended_at), 'duration_s', NULL, 'zone', zone," \
	" 'status', status, 'created_at', app.instant(created_at), 'updated_at', app.instant(updated_at))"

enum { ARGS = 8,
	BACKLOG = 511,
	UUID_LEN = 36 };

static const struct {
	const char *name, *sql;
} keyed[] = {
	{ "timer", "SELECT " DOC " FROM data.time_entries WHERE organization_id = $1::uuid AND id = $2::uuid" },
	{ "start",
		"INSERT INTO data.time_entries (organization_id, id, member_id, started_at, zone, first_day, exclusive, created_by)"
		" VALUES ($1::uuid, gen_random_uuid(), $2::uuid, date_trunc('second', now()), 'Europe/Berlin', now()::date, false,"
		" $2::uuid) RETURNING " DOC },
	{ "stop",
		"UPDATE data.time_entries SET ended_at = greatest(date_trunc('second', now()), started_at + interval '1 second')"
		" WHERE organization_id = $1::uuid AND member_id = $2::uuid AND ended_at IS NULL AND deleted_at IS NULL"
		" RETURNING " DOC },
};

struct bare {
	PGconn *admin, *web;
	const struct query *list;
	const char **list_values;
};

static void check(PGconn *conn, PGresult *res, const char *what)
{
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		fprintf(stderr, "bare: %s: %s", what, PQerrorMessage(conn));
		exit(EXIT_FAILURE);
	}
	PQclear(res);
}

static PGconn *open_conn(const char *conninfo)
{
	PGconn *conn = PQconnectdb(conninfo);

	if (PQstatus(conn) != CONNECTION_OK) {
		fprintf(stderr, "bare: %s", PQerrorMessage(conn));
		exit(EXIT_FAILURE);
	}
	check(conn, PQexec(conn, "SET jit = off"), "SET");
	check(conn, PQexec(conn, "SET TimeZone = 'UTC'"), "SET");
	return conn;
}

/* The caller, for as long as the connection lasts. */
static void enter(PGconn *conn, const char *const caller[3])
{
	check(conn,
		PQexecParams(conn,
			"SELECT set_config('app.org', $1, false), set_config('app.member', $2, false), set_config('app.caller', $3, false)",
			3, NULL, caller, NULL, NULL, 0),
		"entering");
}

static void bare_open(struct bare *b, char **argv)
{
	const char *const caller[3] = { argv[5], argv[6], argv[7] };

	b->admin = open_conn(argv[3]);
	for (size_t i = 0; i < sizeof(keyed) / sizeof(*keyed); i++)
		check(b->admin, PQprepare(b->admin, keyed[i].name, keyed[i].sql, 0, NULL), keyed[i].name);
	b->web = open_conn(argv[4]);
	enter(b->web, caller);
	b->list = query_find("time_entries_list");
	if (!b->list || !(b->list_values = calloc((size_t)b->list->nparams, sizeof(*b->list_values)))) {
		fputs("bare: there is no query time_entries_list\n", stderr);
		exit(EXIT_FAILURE);
	}
	for (int i = 0; i < b->list->nparams; i++)
		if (strcmp(b->list->params[i], "limit") == 0)
			b->list_values[i] = "50";
	check(b->web, PQprepare(b->web, "list", b->list->sql, 0, NULL), "list");
}

/* What the path after the prefix asks for; NULL when it is nothing we know. */
static PGresult *run(struct bare *b, const char *path)
{
	for (size_t i = 0; i < sizeof(keyed) / sizeof(*keyed); i++) {
		size_t len = strlen(keyed[i].name);
		char keys[2][UUID_LEN + 1] = { "", "" };
		const char *const values[2] = { keys[0], keys[1] };

		if (strncmp(path, keyed[i].name, len) != 0 || strlen(path) != len + 2 * (1 + UUID_LEN))
			continue;
		memcpy(keys[0], path + len + 1, UUID_LEN);
		memcpy(keys[1], path + len + 2 + UUID_LEN, UUID_LEN);
		return PQexecPrepared(b->admin, keyed[i].name, 2, values, NULL, NULL, 0);
	}
	if (strcmp(path, "list") == 0)
		return PQexecPrepared(b->web, "list", b->list->nparams, b->list_values, NULL, NULL, 0);
	return NULL;
}

static void answer(struct bare *b, FCGX_Request *rq)
{
	const char *uri = FCGX_GetParam("REQUEST_URI", rq->envp);
	PGresult *res = uri && strncmp(uri, PREFIX, strlen(PREFIX)) == 0 ? run(b, uri + strlen(PREFIX)) : NULL;

	if (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1)
		FCGX_FPrintF(rq->out, "Content-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s",
			PQgetlength(res, 0, 0), PQgetvalue(res, 0, 0));
	else
		FCGX_FPrintF(rq->out, "Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\n%s",
			res ? PQresultErrorMessage(res) : "no such path");
	PQclear(res);
}

static void worker(int listen_fd, char **argv)
{
	struct bare b = { 0 };
	FCGX_Request rq;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	bare_open(&b, argv);
	FCGX_InitRequest(&rq, listen_fd, 0);
	while (FCGX_Accept_r(&rq) == 0) {
		answer(&b, &rq);
		FCGX_Finish_r(&rq);
	}
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	int listen_fd, workers = argc == ARGS ? atoi(argv[2]) : 0;

	if (workers < 1) {
		fputs("usage: bare SOCKET WORKERS ADMIN-CONNINFO WEB-CONNINFO ORGANIZATION MEMBER CALLER\n", stderr);
		return 64;
	}
	FCGX_Init();
	listen_fd = FCGX_OpenSocket(argv[1], BACKLOG);
	if (listen_fd < 0) {
		fprintf(stderr, "bare: %s: %s\n", argv[1], strerror(errno));
		return EXIT_FAILURE;
	}
	for (int i = 0; i < workers; i++)
		if (fork() == 0)
			worker(listen_fd, argv);
	/* Any that leaves has failed; the others go with us. */
	wait(NULL);
	return EXIT_FAILURE;
}
