/*
 * The master and its workers: replaced when they die, recycled, reloaded without losing a request, stopped with the
 * request in hand finished; and the sockets it listens on.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "echo_server.h"
#include "fcgi_client.h"

#ifdef STINT_SANITIZERS
#define REPLACED_S 1.0 /* forking with shadow memory takes its time */
#else
#define REPLACED_S 0.2
#endif

static struct echo_server server;
static pid_t before[ECHO_WORKERS_MAX], after[ECHO_WORKERS_MAX];

static void start(int workers, int worker_requests, int timeout_s)
{
	server = (struct echo_server){ .workers = workers, .worker_requests = worker_requests, .timeout_s = timeout_s };
	echo_start(&server);
}

static struct reply get(const char *uri)
{
	return fcgi_get(unit_mem, server.web, uri);
}

/* Sends a request and leaves the answer for later. */
static int ask(const char *uri)
{
	struct buf stream;
	int fd = fcgi_connect(server.web);

	buf_init(&stream, unit_mem);
	fcgi_request(&stream, "GET", uri, "");
	ck_assert(fcgi_send(fd, &stream));
	return fd;
}

static struct reply answer_of(int fd)
{
	struct reply r = fcgi_receive(unit_mem, fd);

	close(fd);
	return r;
}

/* Waits until there are n workers and none of them is gone_pid. */
static double wait_for_workers(int n, pid_t gone_pid)
{
	double begun = seconds();

	for (;;) {
		int count = echo_workers(&server, after);
		bool gone = true;

		for (int i = 0; i < count; i++)
			gone &= after[i] != gone_pid;
		if (count == n && gone)
			return seconds() - begun;
		ck_assert_msg(seconds() - begun < 10, "%d workers instead of %d", count, n);
		nap_ms(2);
	}
}

static void expect_metric(const char *line)
{
	double until = seconds() + 5;

	while (!strstr(get("/metrics").body, line))
		ck_assert_msg(seconds() < until, "no %s", line);
}

START_TEST(a_crash_costs_one_request)
{
	start(2, 0, 30);
	for (int i = 0; i < 3; i++) {
		int n = echo_workers(&server, before);
		pid_t victim = (pid_t)atoi(get("/pid").body);
		struct reply r = get("/crash");

		ck_assert(!r.answered);
		ck_assert_int_gt(victim, 0);
		nap_ms(1);
		wait_for_workers(n, 0);
		ck_assert(get("/pid").answered);
	}
	echo_expect_logged(&server, "worker died", 3);
	expect_metric("stint_worker_crashes_total 3\n");
	expect_metric("stint_worker_respawns_total 3\n");
	echo_stop(&server);
}
END_TEST

START_TEST(the_dead_are_replaced_at_once)
{
	double took;

	start(1, 0, 30);
	nap_ms(1100); /* no longer young */
	ck_assert_int_eq(echo_workers(&server, before), 2);
	kill(before[0], SIGKILL);
	took = wait_for_workers(2, before[0]);
	ck_assert_msg(took < REPLACED_S, "%f s", took);
	ck_assert(get("/pid").answered);
	echo_stop(&server);
}
END_TEST

START_TEST(a_crash_loop_backs_off)
{
	double begun;
	int deaths;

	start(1, 0, 30);
	echo_workers(&server, before);
	echo_flag(server.auth, "crash", true);
	for (int i = 0; i < 2; i++)
		kill(before[i], SIGKILL);
	nap_ms(1200);
	deaths = echo_logged(&server, "worker died");
	ck_assert_msg(deaths >= 4 && deaths <= 9, "%d deaths", deaths);
	ck_assert(get("/pid").answered);
	echo_flag(server.auth, "crash", false);
	begun = seconds();
	while (!fcgi_get(unit_mem, server.auth, "/pid").answered)
		;
	ck_assert_msg(seconds() - begun < 5, "%f s", seconds() - begun);
	echo_stop(&server);
}
END_TEST

START_TEST(a_stuck_worker_is_killed_and_replaced)
{
	int hanging, silent;
	pid_t victim;

	start(2, 0, 1);
	silent = fcgi_connect(server.web); /* says nothing at all */
	hanging = ask("/hang");
	ck_assert(!answer_of(hanging).answered);
	wait_for_workers(3, 0);
	echo_expect_logged(&server, "worker stuck, killed", 1);
	ck_assert(get("/pid").answered);
	/* The worker that waited for the silent one is alive and free again. */
	ck_assert(!answer_of(silent).answered);
	echo_expect_logged(&server, "nothing was sent in time", 1);
	echo_expect_logged(&server, "worker died", 1);
	victim = (pid_t)atoi(get("/pid").body);
	ck_assert_int_gt(victim, 0);
	echo_stop(&server);
}
END_TEST

START_TEST(workers_are_recycled_without_losing_anything)
{
	start(1, 20, 30);
	echo_workers(&server, before);
	for (int i = 0; i < 200; i++)
		ck_assert(get("/pid").answered);
	wait_for_workers(2, 0);
	ck_assert(after[0] != before[0] || after[1] != before[1]);
	echo_expect_logged(&server, "worker died", 0);
	echo_stop(&server);
}
END_TEST

/* In a process of its own: asks until told to stop, and exits with the number of failures. */
static pid_t hammer(const char *uri)
{
	pid_t pid = fork();
	int failures = 0, asked = 0;

	if (pid)
		return pid;
	while (access(server.log, F_OK) == 0 && failures < 100) {
		void *mem = mem_root("request");

		failures += fcgi_get(mem, server.web, uri).status != 200;
		asked++;
		mem_free(mem);
		if (access(mem_printf(unit_mem, "%s.refuse", server.auth), F_OK) == 0)
			break;
	}
	_exit(asked < 10 ? 101 : failures);
}

static int generation(void)
{
	int pid = 0, n = -1;

	ck_assert_int_eq(sscanf(get("/pid").body, "%d %d", &pid, &n), 2);
	return n;
}

/* Those of the generation before may still be answering. */
static void expect_generation(int n)
{
	double until = seconds() + 5;

	while (generation() != n)
		ck_assert_msg(seconds() < until, "generation %d instead of %d", generation(), n);
}

START_TEST(reloading_under_load_fails_no_request)
{
	pid_t clients[4];

	start(3, 50, 30);
	for (int i = 0; i < 4; i++)
		clients[i] = hammer(i % 2 ? "/pid" : "/sleep?n=3");
	for (int i = 1; i <= 4; i++) {
		double until = seconds() + 10;

		nap_ms(150);
		echo_signal(&server, SIGHUP);
		while (echo_logged(&server, "\"reloaded\"") < i) {
			ck_assert(seconds() < until);
			nap_ms(10);
		}
	}
	nap_ms(100);
	echo_flag(server.auth, "refuse", true);
	for (int i = 0; i < 4; i++) {
		int status;

		ck_assert_int_eq(waitpid(clients[i], &status, 0), clients[i]);
		ck_assert_int_eq(WEXITSTATUS(status), 0);
	}
	echo_flag(server.auth, "refuse", false);
	expect_generation(4);
	echo_expect_logged(&server, "worker died", 0);
	wait_for_workers(4, 0);
	echo_stop(&server);
}
END_TEST

START_TEST(a_refused_reload_changes_nothing)
{
	int n;

	start(2, 0, 30);
	n = echo_workers(&server, before);
	echo_flag(server.web, "refuse", true);
	echo_signal(&server, SIGHUP);
	echo_expect_logged(&server, "reload refused", 1);
	nap_ms(50);
	ck_assert_int_eq(echo_workers(&server, after), n);
	ck_assert_mem_eq(before, after, sizeof(pid_t) * (size_t)n);
	echo_stop(&server);
}
END_TEST

START_TEST(a_reload_whose_workers_do_not_start_is_taken_back)
{
	int n;

	start(2, 0, 30);
	n = echo_workers(&server, before);
	echo_flag(server.web, "broken", true);
	echo_signal(&server, SIGHUP);
	echo_expect_logged(&server, "reload failed", 1);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(generation(), 0);
	wait_for_workers(n, 0);
	ck_assert_mem_eq(before, after, sizeof(pid_t) * (size_t)n);
	echo_flag(server.web, "broken", false);
	/* Those that die now are replaced by their like, not by what was taken back. */
	for (int i = 0; i < n; i++)
		kill(before[i], SIGKILL);
	echo_expect_logged(&server, "signal 9", n);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(generation(), 0);
	echo_signal(&server, SIGHUP);
	echo_expect_logged(&server, "\"reloaded\"", 1);
	expect_generation(1);
	echo_stop(&server);
}
END_TEST

START_TEST(stopping_finishes_the_request_in_hand)
{
	struct reply r;
	double begun;
	int slow;

	start(2, 0, 30);
	slow = ask("/sleep?n=400");
	nap_ms(50);
	begun = seconds();
	echo_signal(&server, SIGTERM);
	r = answer_of(slow);
	ck_assert(r.answered);
	ck_assert_int_eq(r.status, 200);
	ck_assert_int_eq(echo_wait(&server, 5), 0);
	ck_assert(seconds() - begun < 2);
	ck_assert_int_ne(access(server.web, F_OK), 0);
	ck_assert_int_ne(access(server.auth, F_OK), 0);
	echo_stop(&server);
}
END_TEST

START_TEST(an_idle_server_stops_at_once)
{
	for (int i = 0; i < 5; i++) {
		double begun;

		start(8, 0, 30);
		begun = seconds();
		echo_signal(&server, SIGTERM);
		ck_assert_int_eq(echo_wait(&server, 5), 0);
		ck_assert_msg(seconds() - begun < 1, "%f s", seconds() - begun);
		echo_stop(&server);
	}
}
END_TEST

START_TEST(what_does_not_stop_is_killed)
{
	int stuck;

	start(1, 0, 1);
	stuck = ask("/hang");
	nap_ms(50);
	echo_signal(&server, SIGTERM);
	ck_assert_int_eq(echo_wait(&server, 9), 0); /* time-out and five seconds */
	ck_assert(!answer_of(stuck).answered);
	echo_stop(&server);
}
END_TEST

START_TEST(workers_leave_when_the_master_is_gone)
{
	double until = seconds() + 5;
	int n;

	start(2, 0, 30);
	n = echo_workers(&server, before);
	echo_signal(&server, SIGKILL);
	ck_assert_int_eq(echo_wait(&server, 5), 128 + SIGKILL);
	for (int i = 0; i < n; i++) {
		while (kill(before[i], 0) == 0) {
			char name[64], state = 'Z';
			FILE *file;

			/* Nobody may be there to reap them. */
			snprintf(name, sizeof(name), "/proc/%d/stat", (int)before[i]);
			file = fopen(name, "re");
			if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1 || state == 'Z') {
				if (file)
					fclose(file);
				break;
			}
			fclose(file);
			ck_assert_msg(seconds() < until, "worker %d is left", (int)before[i]);
			nap_ms(5);
		}
	}
	/* What the killed one left behind is no obstacle. */
	unlink(server.log);
	echo_start(&server);
	ck_assert(get("/pid").answered);
	echo_stop(&server);
}
END_TEST

START_TEST(a_live_socket_is_not_stolen)
{
	struct echo_server second;
	struct stat st;

	start(1, 0, 30);
	ck_assert_int_eq(stat(server.web, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0660);
	second = server;
	second.pid = fork();
	if (second.pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDERR_FILENO);
		execl(echo_program(), "http-echo", server.web, server.auth, "1", "0", "30", (char *)NULL);
		_exit(9);
	}
	ck_assert_int_eq(echo_wait(&second, 5), 1);
	ck_assert(get("/pid").answered);
	echo_stop(&server);
}
END_TEST

static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(addr.sun_path, path, strlen(path));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	return fd;
}

/* As systemd does it: the pool's socket at 4, one of somebody else's at 3. */
static void become_activated(const struct echo_server *s, int other, int web)
{
	char pid[16];
	int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	dup2(log, STDERR_FILENO);
	dup2(other, 100);
	dup2(web, 101);
	dup2(100, 3);
	dup2(101, 4);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "somebody:web", 1);
	execl(echo_program(), "http-echo", "/nowhere/web", s->auth, "1", "0", "30", (char *)NULL);
	_exit(9);
}

START_TEST(systemd_may_hand_the_sockets_over)
{
	int web, other;

	/* Only to have a folder with names. */
	start(1, 0, 30);
	echo_signal(&server, SIGTERM);
	ck_assert_int_eq(echo_wait(&server, 5), 0);
	unlink(server.log);
	web = listen_at(server.web);
	other = listen_at(mem_printf(unit_mem, "%s/other", server.dir));
	server.pid = fork();
	if (server.pid == 0)
		become_activated(&server, other, web);
	close(web);
	ck_assert(get("/pid").answered);
	echo_signal(&server, SIGTERM);
	ck_assert_int_eq(echo_wait(&server, 5), 0);
	ck_assert_int_eq(access(server.web, F_OK), 0); /* not ours to remove */
	close(other);
	unlink(mem_printf(unit_mem, "%s/other", server.dir));
	echo_stop(&server);
}
END_TEST

UNIT_MAIN("http_master", a_crash_costs_one_request, the_dead_are_replaced_at_once, a_crash_loop_backs_off,
	a_stuck_worker_is_killed_and_replaced, workers_are_recycled_without_losing_anything,
	reloading_under_load_fails_no_request, a_refused_reload_changes_nothing,
	a_reload_whose_workers_do_not_start_is_taken_back, stopping_finishes_the_request_in_hand, an_idle_server_stops_at_once,
	what_does_not_stop_is_killed, workers_leave_when_the_master_is_gone, a_live_socket_is_not_stolen,
	systemd_may_hand_the_sockets_over)
