/*
 * A Redis that wants to know who comes: passwords and users in every form of redis_url, against a redis-server of this
 * test's own; and that no secret is ever said, whatever is wrong with it.
 */
#include "unit_redis.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define PASSWORD "canary-redis p@ss:w/rd?&%"
#define ENCODED "canary-redis%20p%40ss%3Aw%2Frd%3F%26%25"
#define ANNA "canary-anna"

static pid_t server;
static char dir[] = "/tmp/stint-unit-redis-XXXXXX", path[64];
static int port;

static int free_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	close(fd);
	return ntohs(addr.sin_port);
}

static void become_server(void)
{
	char port_text[16];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(port_text, sizeof(port_text), "%d", port);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execlp("redis-server", "redis-server", "--port", port_text, "--bind", "127.0.0.1", "--unixsocket", path, "--save", "",
		"--requirepass", PASSWORD, "--user", "anna", "on", ">" ANNA, "~*", "&*", "+@all", "--user", "bert", "on",
		"nopass", "~*", "&*", "+ping", NULL);
	_exit(127);
}

static bool listens(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	memcpy(addr.sun_path, path, sizeof(path));
	ok = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
	close(fd);
	return ok;
}

/* What is said goes into a file, to be looked through. */
static void start(void)
{
	int64_t left = 500;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	port = free_port();
	server = fork();
	if (server == 0)
		become_server();
	ck_assert_ptr_nonnull(freopen(mem_printf(unit_mem, "%s/log", dir), "we", stderr));
	log_init("unit", LOG_DEBUG_);
	while (!listens() && left-- > 0)
		usleep(10000);
	ck_assert_msg(left > 0, "redis-server does not start");
}

static const char *said(void)
{
	char *text = mem_array(unit_mem, char, 65536);
	FILE *file = fopen(mem_printf(unit_mem, "%s/log", dir), "re");

	fflush(stderr);
	ck_assert_ptr_nonnull(file);
	ck_assert(fread(text, 1, 65535, file) < 65535);
	fclose(file);
	return text;
}

static void stop(void)
{
	ck_assert_msg(!strstr(said(), "canary"), "%s", said());
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	unlink(mem_printf(unit_mem, "%s/log", dir));
	unlink(path);
	rmdir(dir);
}

static bool comes_in(const char *url, const char *password)
{
	int64_t count = 0, left_s;
	struct redis *r = redis_patient(unit_mem, url, password);
	bool ok = redis_count(r, "k", 60, &count, &left_s);

	mem_free(r);
	return ok && count > 0;
}

START_TEST(a_password_lets_in)
{
	start();
	ck_assert(!comes_in(mem_printf(unit_mem, "unix:%s", path), NULL));
	ck_assert_ptr_nonnull(strstr(said(), "NOAUTH"));
	ck_assert(comes_in(mem_printf(unit_mem, "unix:%s", path), PASSWORD));
	ck_assert(comes_in(mem_printf(unit_mem, "unix:%s?password=%s", path, ENCODED), NULL));
	ck_assert(comes_in(mem_printf(unit_mem, "127.0.0.1:%d", port), PASSWORD));
	ck_assert(comes_in(mem_printf(unit_mem, "redis://localhost:%d", port), PASSWORD));
	ck_assert(comes_in(mem_printf(unit_mem, "redis://:%s@127.0.0.1:%d/", ENCODED, port), ""));
	ck_assert(!comes_in(mem_printf(unit_mem, "unix:%s", path), PASSWORD "x"));
	ck_assert_ptr_nonnull(strstr(said(), "WRONGPASS"));
	stop();
}
END_TEST

START_TEST(a_user_comes_with_a_password_of_his_own)
{
	start();
	ck_assert(comes_in(mem_printf(unit_mem, "unix:%s?user=anna", path), ANNA));
	ck_assert(comes_in(mem_printf(unit_mem, "unix:%s?db=3&user=anna&password=" ANNA, path), NULL));
	ck_assert(comes_in(mem_printf(unit_mem, "redis://anna@127.0.0.1:%d", port), ANNA));
	ck_assert(comes_in(mem_printf(unit_mem, "redis://anna:" ANNA "@127.0.0.1:%d/2", port), NULL));
	ck_assert(!comes_in(mem_printf(unit_mem, "redis://anna@127.0.0.1:%d", port), PASSWORD));
	ck_assert(!comes_in(mem_printf(unit_mem, "redis://nobody@127.0.0.1:%d", port), ANNA));
	stop();
}
END_TEST

/* In, but not allowed what is asked: the same as being away, and said so. */
START_TEST(a_user_without_rights_is_told)
{
	struct redis *r;

	start();
	r = redis_patient(unit_mem, mem_printf(unit_mem, "unix:%s?user=bert", path), NULL);
	ck_assert(redis_ping(r));
	mem_free(r);
	ck_assert(!comes_in(mem_printf(unit_mem, "unix:%s?user=bert", path), NULL));
	ck_assert_ptr_nonnull(strstr(said(), "NOPERM"));
	stop();
}
END_TEST

START_TEST(databases_are_kept_apart)
{
	struct redis *zero, *two;
	int64_t count, left_s;

	start();
	zero = redis_patient(unit_mem, mem_printf(unit_mem, "unix:%s", path), PASSWORD);
	two = redis_patient(unit_mem, mem_printf(unit_mem, "redis://127.0.0.1:%d/2", port), PASSWORD);
	ck_assert(redis_count(two, "apart", 60, &count, &left_s));
	ck_assert(redis_peek(zero, "apart", &count, &left_s));
	ck_assert_int_eq(count, 0);
	ck_assert(redis_peek(two, "apart", &count, &left_s));
	ck_assert_int_eq(count, 1);
	mem_free(zero);
	mem_free(two);
	stop();
}
END_TEST

START_TEST(a_connection_made_again_introduces_itself_again)
{
	struct redis *r, *other;
	int64_t count, left_s;

	start();
	r = redis_patient(unit_mem, mem_printf(unit_mem, "unix:%s?db=1", path), PASSWORD);
	ck_assert(redis_count(r, "k", 60, &count, &left_s));
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	unlink(path);
	server = fork();
	if (server == 0)
		become_server();
	other = redis_patient(unit_mem, mem_printf(unit_mem, "unix:%s", path), PASSWORD);
	for (int i = 0; i < 500 && !redis_ping(other); i++)
		usleep(10000);
	for (int i = 0; i < 500 && !redis_ping(r); i++)
		usleep(10000);
	ck_assert(redis_count(r, "k", 60, &count, &left_s));
	ck_assert_int_eq(count, 1);
	mem_free(r);
	mem_free(other);
	stop();
}
END_TEST

START_TEST(what_is_no_address_is_refused_without_repeating_it)
{
	static const struct {
		const char *url, *word;
	} bad[] = {
		{ "", "none of the forms" },
		{ "unix:", "none of the forms" },
		{ "nonsense", "none of the forms" },
		{ "canary:", "port" },
		{ "canary:65536", "port" },
		{ "canary@h:1", "none of the forms" },
		{ "http://canary:1", "none of the forms" },
		{ "redis://", "none of the forms" },
		{ "redis://canary:canary@", "none of the forms" },
		{ "redis://canary:canary@:6379", "none of the forms" },
		{ "redis://a:canary@h:canary", "port" },
		{ "redis://a:canary@[::1", "none of the forms" },
		{ "redis://a:canary@h/canary", "database" },
		{ "redis://a:canary@h/10000", "database" },
		{ "redis://a:canary%zz@h", "percent" },
		{ "redis://canary%00@h", "percent" },
		{ "rediss://a:canary@h", "TLS" },
		{ "unix:/s?db=canary", "database" },
		{ "unix:/s?user=canary%", "percent" },
		{ "unix:/s?canary=1", "behind the question mark" },
		{ "unix:/s?", "behind the question mark" },
	};
	static const char *const good[] = { "unix:/s", "h:1", "[::1]:6379", "redis://h", "redis://h/", "redis://[::1]/1",
		"redis://u@h", "redis://u:@h:1/0", "redis://u:p@ss@h" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *fault = redis_fault(unit_mem, bad[i].url, NULL);

		ck_assert_msg(fault && strstr(fault, bad[i].word), "%s: %s", bad[i].url, fault ? fault : "taken");
		ck_assert_msg(!strstr(fault, "canary"), "%s: %s", bad[i].url, fault);
		ck_assert(!redis_ping(redis_new(unit_mem, bad[i].url, NULL)));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(!redis_fault(unit_mem, good[i], NULL), "%s", good[i]);
	ck_assert_ptr_nonnull(strstr(redis_fault(unit_mem, "redis://u:canary@h", "canary"), "redis_password is set too"));
}
END_TEST

UNIT_MAIN("redis_auth", a_password_lets_in, a_user_comes_with_a_password_of_his_own, a_user_without_rights_is_told,
	databases_are_kept_apart, a_connection_made_again_introduces_itself_again,
	what_is_no_address_is_refused_without_repeating_it)
