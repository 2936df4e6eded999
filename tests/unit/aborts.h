#ifndef STINT_ABORTS_H
#define STINT_ABORTS_H
/* Whether what a function does ends the process on purpose. */
#include <stdbool.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

static bool aborts(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		close(STDERR_FILENO); /* what it complains of is expected */
		fn();
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#endif
