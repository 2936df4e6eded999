/*
 * The baseline of the jobs' measurements: the same statements that a runner sends, in a bare loop over libpq and hiredis.
 *
 * usage: bare-jobs quick|effect CONNINFO REDIS-SOCKET PROCESSES LIST
 *
 * LIST holds the ids, all of them pushed beforehand: no relay, no leases renewed, no limits, no handlers, no log. Each process
 * pops (50 quick ones, or one), runs the statements, and goes on until the list is empty. It is a floor to compare with.
 */
#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 50, ID = 37, ARRAY = BATCH * ID + 3 };

static const char *const statements[][2] = {
	{ "take", "SELECT id, kind, organization_id, member_id, args FROM jobs.take_quick($1::uuid[])" },
	{ "drop", "SELECT jobs.settle_quick($1::uuid[], '{}'::uuid[])" },
	{ "claim", "SELECT id, lease, kind, args FROM jobs.claim($1::uuid[], 1, 3600)" },
	{ "enter", "SELECT app.enter_job($1::uuid, $2::bigint)" },
	{ "effect", "INSERT INTO scratch.effects (job_id, kind, n) VALUES ($1::uuid, 'bare', 1)" },
	{ "settle", "SELECT jobs.settle($1::uuid, $2::bigint, 'ok', NULL, NULL, NULL, NULL)" },
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bare-jobs: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static PGresult *take(PGconn *conn)
{
	PGresult *res = PQgetResult(conn);
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_PIPELINE_SYNC)
		die("PostgreSQL", PQerrorMessage(conn));
	if (status != PGRES_PIPELINE_SYNC)
		PQclear(PQgetResult(conn)); /* the NULL behind each */
	return res;
}

static void send(PGconn *conn, const char *name, const char *a, const char *b)
{
	const char *const values[] = { a, b };

	if (!PQsendQueryPrepared(conn, name, b ? 2 : 1, values, NULL, NULL, 0))
		die(name, PQerrorMessage(conn));
}

static void end(PGconn *conn, int results)
{
	PQpipelineSync(conn);
	for (int i = 0; i < results; i++)
		PQclear(take(conn));
	PQclear(take(conn));
}

static int pop(redisContext *redis, const char *list, int most, char *array)
{
	redisReply *reply = redisCommand(redis, "LPOP %s %d", list, most);
	int n = 0;
	char *at = array;

	if (!reply)
		die("Redis", redis->errstr);
	*at++ = '{';
	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++, n++) {
		if (n)
			*at++ = ',';
		memcpy(at, reply->element[i]->str, ID - 1);
		at += ID - 1;
	}
	*at++ = '}';
	*at = 0;
	freeReplyObject(reply);
	return n;
}

static void run_quick(PGconn *conn, const char *ids)
{
	send(conn, "take", ids, NULL);
	PQsendFlushRequest(conn);
	PQflush(conn);
	PQclear(take(conn));
	send(conn, "drop", ids, NULL);
	end(conn, 1);
}

static void run_effect(PGconn *conn, const char *ids)
{
	PGresult *claimed;
	const char *id, *lease;

	send(conn, "claim", ids, NULL);
	PQpipelineSync(conn);
	claimed = take(conn);
	PQclear(take(conn));
	if (PQntuples(claimed) == 1) {
		id = PQgetvalue(claimed, 0, 0);
		lease = PQgetvalue(claimed, 0, 1);
		send(conn, "enter", id, lease);
		send(conn, "effect", id, NULL);
		send(conn, "settle", id, lease);
		end(conn, 3);
	}
	PQclear(claimed);
}

static void work(const char *mode, const char *conninfo, const char *socket, const char *list)
{
	PGconn *conn = PQconnectdb(conninfo);
	redisContext *redis = redisConnectUnix(socket);
	char ids[ARRAY];
	int quick = strcmp(mode, "quick") == 0;

	if (PQstatus(conn) != CONNECTION_OK)
		die("PostgreSQL", PQerrorMessage(conn));
	if (!redis || redis->err)
		die("Redis", redis ? redis->errstr : "no memory");
	for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++)
		PQclear(PQprepare(conn, statements[i][0], statements[i][1], 0, NULL));
	PQenterPipelineMode(conn);
	while (pop(redis, list, quick ? BATCH : 1, ids))
		quick ? run_quick(conn, ids) : run_effect(conn, ids);
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	int status, bad = 0;

	if (argc != 6)
		die("usage", "bare-jobs quick|effect CONNINFO REDIS-SOCKET PROCESSES LIST");
	for (int i = 0; i < atoi(argv[4]); i++)
		if (fork() == 0)
			work(argv[1], argv[2], argv[3], argv[5]);
	while (wait(&status) > 0)
		bad |= status;
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
