#ifndef STINT_QUEUE_BOARD_H
#define STINT_QUEUE_BOARD_H
/*
 * What a worker's processes know of each other, in shared memory and without a system call: one seat per process. The
 * crew (the master) gives seats out and takes them back; who sits in one writes what is marked so. Plain atomic fields and no locks, since
 * a process may die at any instruction; what belongs together is guarded by a counter that is odd while it is being written.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/uuid.h"

enum { BOARD_KINDS = 128, BOARD_CRASHES = 64, BUCKETS = 6 };

/* How a run ended, for the counters. */
enum job_outcome { OUTCOME_DONE,
	OUTCOME_RETRY,
	OUTCOME_SNOOZED,
	OUTCOME_CANCELLED,
	OUTCOME_DEAD,
	OUTCOME_LOST,
	OUTCOMES };

struct seat {
	/* by the crew */
	int role;
	pid_t pid;
	int64_t forked_us, told_us, said_us, killed_us;
	bool leaving;
	/* by who sits here */
	_Atomic int up;             /* came so far that it works */
	_Atomic uint32_t turn;      /* odd: what follows is being written */
	char job[UUID_TEXT];        /* "" between jobs */
	int64_t lease;              /* 0: a quick one */
	int kind;                   /* place in the program's kinds */
	int64_t since_us, soft_us, hard_us; /* monotonic; soft and hard: when the limits are reached */
	/* by others, to who sits here */
	_Atomic int64_t cancel; /* the lease of the job that is to come to an end: meant for no other that sits here by now */
};

struct crash {
	_Atomic int full; /* 1 is set last by the crew; a keeper makes it 2 while it reads, then 0 */
	char job[UUID_TEXT];
	int64_t lease;
	char how[80];
};

struct tally {
	_Atomic int64_t count[OUTCOMES], took_ms[OUTCOMES], buckets[OUTCOMES][BUCKETS];
};

struct board {
	int nseats;
	_Atomic int idle; /* by the keeper: nothing is left to do */
	_Atomic int intake_idle; /* by the intake: no message waited, no answer was left */
	_Atomic int64_t crashes_lost;
	struct crash crashes[BOARD_CRASHES];
	struct tally tallies[BOARD_KINDS];
	struct seat seats[];
};

struct board *board_new(int nseats); /* never NULL */
void board_free(struct board *b);

/* By who sits there: at the beginning and the end of a job. */
void seat_begin(struct seat *s, const char *job, int64_t lease, int kind, int64_t now_us, int64_t soft_us, int64_t hard_us);
void seat_end(struct seat *s);
/* Whether the job under this lease is to end; of a copy, the one that was copied. */
bool seat_is_cancelled(const struct seat *s);
/* A whole look at what the seat does; false when it is being written all the time (then look again later). */
bool seat_look(const struct seat *s, struct seat *copy);
/* Leaves word of a job that took its process along; the keeper tells PostgreSQL. */
void board_crash(struct board *b, const struct seat *dead, const char *how);
bool board_crash_take(struct board *b, struct crash *out);
void board_count(struct board *b, int kind, enum job_outcome outcome, int64_t took_us);
const char *outcome_name(enum job_outcome outcome);

#endif
