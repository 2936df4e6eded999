#ifndef STINT_ECHO_SERVER_H
#define STINT_ECHO_SERVER_H
/*
 * Starts, watches and stops http-echo for a test. Its sockets and its log lie in a folder of their own below /tmp.
 */
#include <stdbool.h>
#include <sys/types.h>

#define ECHO_WORKERS_MAX 32

struct echo_server {
	pid_t pid;
	char dir[64], web[96], auth[96], log[96];
	int workers, worker_requests, timeout_s;
};

/* Starts it and waits until it answers; the folder is made when dir is empty. Fails the test otherwise. */
void echo_start(struct echo_server *s);
/* Path of http-echo, which lies beside the test. */
const char *echo_program(void);
/* Sends a signal to the master. */
void echo_signal(const struct echo_server *s, int signo);
/* Waits for the master's end: its exit status, or -1 when it took longer than wait_s. */
int echo_wait(struct echo_server *s, double wait_s);
/* SIGTERM, wait, remove the folder. */
void echo_stop(struct echo_server *s);
/* Pids of the master's children, ascending; how many. */
int echo_workers(const struct echo_server *s, pid_t out[ECHO_WORKERS_MAX]);
/* How often text stands in the log. */
int echo_logged(const struct echo_server *s, const char *text);
/* Waits until it stands there n times; more fail the test, and so does waiting long. Lines come after answers. */
void echo_expect_logged(const struct echo_server *s, const char *text, int n);
/* Makes or removes a file beside a socket: echo_flag(s->web, "refuse", true). */
void echo_flag(const char *socket, const char *name, bool on);

/* Private memory of a process that no file stands for. */
long echo_private_kb(pid_t pid);

double seconds(void); /* monotonic */
void nap_ms(int ms);

#endif
