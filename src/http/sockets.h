#ifndef STINT_HTTP_SOCKETS_H
#define STINT_HTTP_SOCKETS_H
/* Listening unix sockets: handed over by systemd, or made here. */
#include <stdbool.h>

struct listener {
	int fd;
	bool made; /* by us, so ours to remove */
	const char *path;
};

/* The socket of the pool `name`. False when there is none to be had; why was logged. */
bool listener_open(struct listener *l, const char *name, const char *path);
/* Forgets what systemd handed over, so that no child takes it for its own. */
void listeners_forget_handed(void);
void listener_close(struct listener *l);

#endif
