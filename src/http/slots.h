#ifndef STINT_HTTP_SLOTS_H
#define STINT_HTTP_SLOTS_H
/*
 * What workers tell their master without a system call: one slot of shared memory each. The master gives slots out and
 * takes them back; a worker writes its own alone.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum slot_state { SLOT_FREE,
	SLOT_STARTING,
	SLOT_IDLE,
	SLOT_READING,
	SLOT_HANDLING,
	SLOT_STATES };

struct slot {
	_Atomic int state;
	_Atomic int64_t since_us; /* of the state, monotonic; kept up while READING and HANDLING alone */
	_Atomic uint64_t requests;
	/* written by the master before forking and after reaping */
	int pool, generation;
	pid_t pid;
	int64_t forked_us, killed_us;
	int64_t told_us, said_us; /* told to leave: first, and the last time */
	bool leaving, came_up;
};

/* Shared memory for count slots of the named pools; there is one such table in a program. */
struct slot *slots_new(int count, const char *const *pools, int npools);
void slot_set(struct slot *s, enum slot_state state, int64_t now_us);
/* Workers of a pool by state; 0 before slots_new. */
int slots_pools(void);
const char *slots_pool_name(int pool);
int slots_count(int pool, enum slot_state state);

#endif
