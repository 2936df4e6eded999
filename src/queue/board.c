/* The board; see board.h. */
#include "queue/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"

static size_t board_size(int nseats)
{
	return sizeof(struct board) + sizeof(struct seat) * (size_t)nseats;
}

struct board *board_new(int nseats)
{
	struct board *b = mmap(NULL, board_size(nseats), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED) {
		log_error("no shared memory for the workers", NULL);
		abort();
	}
	b->nseats = nseats;
	return b;
}

void board_free(struct board *b)
{
	munmap(b, board_size(b->nseats));
}

static void turn_open(struct seat *s)
{
	atomic_fetch_add_explicit(&s->turn, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
}

static void turn_close(struct seat *s)
{
	atomic_fetch_add_explicit(&s->turn, 1, memory_order_release);
}

void seat_begin(struct seat *s, const char *job, int64_t lease, int kind, int64_t now_us, int64_t soft_us, int64_t hard_us)
{
	turn_open(s);
	snprintf(s->job, sizeof(s->job), "%s", job);
	s->lease = lease;
	s->kind = kind;
	s->since_us = now_us;
	s->soft_us = soft_us;
	s->hard_us = hard_us;
	turn_close(s);
}

bool seat_is_cancelled(const struct seat *s)
{
	return s->lease && atomic_load(&s->cancel) == s->lease;
}

void seat_end(struct seat *s)
{
	turn_open(s);
	s->job[0] = 0;
	s->lease = s->since_us = s->soft_us = s->hard_us = 0;
	turn_close(s);
}

bool seat_look(const struct seat *s, struct seat *copy)
{
	for (int tries = 0; tries < 100; tries++) {
		uint32_t before = atomic_load_explicit(&s->turn, memory_order_acquire);

		memcpy(copy, s, sizeof(*copy));
		atomic_thread_fence(memory_order_acquire);
		if (!(before & 1) && atomic_load_explicit(&s->turn, memory_order_relaxed) == before) {
			copy->job[sizeof(copy->job) - 1] = 0;
			return true;
		}
	}
	return false;
}

void board_crash(struct board *b, const struct seat *dead, const char *how)
{
	for (int i = 0; i < BOARD_CRASHES; i++) {
		struct crash *c = &b->crashes[i];

		if (atomic_load_explicit(&c->full, memory_order_acquire))
			continue;
		memcpy(c->job, dead->job, sizeof(c->job));
		c->lease = dead->lease;
		snprintf(c->how, sizeof(c->how), "%s", how);
		atomic_store_explicit(&c->full, 1, memory_order_release);
		return;
	}
	atomic_fetch_add(&b->crashes_lost, 1); /* its lease still runs out */
}

bool board_crash_take(struct board *b, struct crash *out)
{
	for (int i = 0; i < BOARD_CRASHES; i++) {
		struct crash *c = &b->crashes[i];
		int full = 1;

		/* At a reload there are two keepers for a moment. */
		if (!atomic_compare_exchange_strong(&c->full, &full, 2))
			continue;
		memcpy(out, c, sizeof(*out));
		atomic_store_explicit(&c->full, 0, memory_order_release);
		return true;
	}
	return false;
}

void board_count(struct board *b, int kind, enum job_outcome outcome, int64_t took_us)
{
	static const int64_t bounds_us[BUCKETS - 1] = { 10000, 100000, 1000000, 10000000, 60000000 };
	struct tally *t = &b->tallies[kind];
	int bucket = 0;

	while (bucket < BUCKETS - 1 && took_us > bounds_us[bucket])
		bucket++;
	atomic_fetch_add_explicit(&t->count[outcome], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&t->took_ms[outcome], took_us / 1000, memory_order_relaxed);
	atomic_fetch_add_explicit(&t->buckets[outcome][bucket], 1, memory_order_relaxed);
}

const char *outcome_name(enum job_outcome outcome)
{
	static const char *const names[OUTCOMES] = { "done", "retry", "snoozed", "cancelled", "dead", "lost" };

	return names[outcome];
}
