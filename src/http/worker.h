#ifndef STINT_HTTP_WORKER_H
#define STINT_HTTP_WORKER_H
/* One worker: its life from after the fork to its end. */
#include <signal.h>
#include "http/server.h"
#include "http/slots.h"

/* How a worker ends: the master reads the exit status. */
enum { WORKER_LEFT = 0,
	WORKER_NOT_STARTED = 3 };

/* Never returns. Signals are blocked when it is called; mask is what they become. */
void worker_run(const struct http_server *server, int pool, int listen_fd, struct slot *slot, const sigset_t *mask)
	__attribute__((noreturn));

#endif
