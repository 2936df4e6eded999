/* See echo_server.h. */
#include "echo_server.h"

#include <check.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fcgi_client.h"

#define UP_S 10.0

double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void nap_ms(int ms)
{
	const struct timespec nap = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&nap, NULL);
}

static void make_dir(struct echo_server *s)
{
	snprintf(s->dir, sizeof(s->dir), "/tmp/stint-http-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(s->dir));
	snprintf(s->web, sizeof(s->web), "%s/web", s->dir);
	snprintf(s->auth, sizeof(s->auth), "%s/auth", s->dir);
	snprintf(s->log, sizeof(s->log), "%s/log", s->dir);
}

const char *echo_program(void)
{
	static char program[1100];
	char self[1024] = { 0 };

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return "";
	snprintf(program, sizeof(program), "%s/http-echo", dirname(self));
	return program;
}

static void become_echo(const struct echo_server *s)
{
	int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	char workers[16], requests[16], timeout_s[16];

	if (log < 0 || dup2(log, STDERR_FILENO) < 0)
		_exit(9);
	snprintf(workers, sizeof(workers), "%d", s->workers);
	snprintf(requests, sizeof(requests), "%d", s->worker_requests);
	snprintf(timeout_s, sizeof(timeout_s), "%d", s->timeout_s);
	/* When the test dies, so does all of this. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execl(echo_program(), "http-echo", s->web, s->auth, workers, requests, timeout_s, (char *)NULL);
	_exit(9);
}

void echo_start(struct echo_server *s)
{
	double until = seconds() + UP_S;

	if (!*s->dir)
		make_dir(s);
	s->pid = fork();
	if (s->pid == 0)
		become_echo(s);
	ck_assert_int_gt(s->pid, 0);
	while (echo_logged(s, "\"ready\"") == 0) {
		ck_assert_msg(seconds() < until && waitpid(s->pid, NULL, WNOHANG) == 0, "http-echo does not start: see %s", s->log);
		nap_ms(5);
	}
}

void echo_signal(const struct echo_server *s, int signo)
{
	ck_assert_int_eq(kill(s->pid, signo), 0);
}

int echo_wait(struct echo_server *s, double wait_s)
{
	double until = seconds() + wait_s;
	int status;

	while (waitpid(s->pid, &status, WNOHANG) == 0) {
		if (seconds() > until)
			return -1;
		nap_ms(2);
	}
	s->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void echo_stop(struct echo_server *s)
{
	static const char *const files[] = { "web", "auth", "log", "web.refuse", "web.broken", "auth.crash" };
	char name[128];

	if (s->pid > 0) {
		echo_signal(s, SIGTERM);
		ck_assert_int_eq(echo_wait(s, 10), 0);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(name, sizeof(name), "%s/%s", s->dir, files[i]);
		unlink(name);
	}
	ck_assert_int_eq(rmdir(s->dir), 0);
}

static int ascending(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

int echo_workers(const struct echo_server *s, pid_t out[ECHO_WORKERS_MAX])
{
	char name[64];
	FILE *file;
	int n = 0, pid;

	snprintf(name, sizeof(name), "/proc/%d/task/%d/children", (int)s->pid, (int)s->pid);
	file = fopen(name, "re");
	ck_assert_ptr_nonnull(file);
	while (n < ECHO_WORKERS_MAX && fscanf(file, "%d", &pid) == 1)
		out[n++] = pid;
	fclose(file);
	qsort(out, (size_t)n, sizeof(*out), ascending);
	return n;
}

int echo_logged(const struct echo_server *s, const char *text)
{
	FILE *file = fopen(s->log, "re");
	char *line = NULL;
	size_t size = 0;
	int n = 0;

	if (!file)
		return 0;
	while (getline(&line, &size, file) > 0)
		n += strstr(line, text) != NULL;
	free(line);
	fclose(file);
	return n;
}

void echo_expect_logged(const struct echo_server *s, const char *text, int n)
{
	double until = seconds() + UP_S;
	int found;

	while ((found = echo_logged(s, text)) < n) {
		ck_assert_msg(seconds() < until, "%d times instead of %d in the log: %s", found, n, text);
		nap_ms(5);
	}
	ck_assert_msg(found == n, "%d times instead of %d in the log: %s", found, n, text);
}

long echo_private_kb(pid_t pid)
{
	char name[64], line[256];
	long kb = -1;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/status", (int)pid);
	file = fopen(name, "re");
	ck_assert_ptr_nonnull(file);
	while (kb < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %ld", &kb) != 1)
			kb = -1;
	fclose(file);
	return kb;
}

void echo_flag(const char *socket, const char *name, bool on)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s.%s", socket, name);
	if (!on) {
		unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
}
