/*
 * How much one caller may ask, decided in memory that all workers share.
 *
 * The generic cell rate algorithm: of each caller only one number is kept, the instant at which its bucket is full again. Every
 * request moves it on by the time one request is worth; when that would lie further ahead than the burst allows, the
 * request is refused. One compare-and-swap, no lock that a dying worker could hold.
 *
 * Callers are found by a hash in sets of eight. When a set is full of active callers the one nearest to
 * being full again is forgotten: under attack limits become milder, never memory larger. Nothing here is exact to the last request.
 */
#include "http/limits.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"

#define SETS ((size_t)8192)
#define WAYS ((size_t)8)
#define US_PER_S INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_S)

struct bucket {
	_Atomic uint64_t key;    /* 0: free */
	_Atomic int64_t full_us; /* when it is full again */
};

struct limits {
	int64_t cost_us; /* of one request; 0: no limit */
	int64_t burst;
	uint64_t seed; /* so that nobody can aim at another's set */
	struct bucket buckets[SETS][WAYS];
};

struct limits *limits_new(int64_t per_minute, int64_t burst)
{
	struct limits *l = mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (l == MAP_FAILED || getrandom(&l->seed, sizeof(l->seed), 0) != (ssize_t)sizeof(l->seed)) {
		log_error("no shared memory for the limits", NULL);
		abort();
	}
	l->cost_us = per_minute > 0 ? US_PER_MINUTE / per_minute : 0;
	l->burst = burst > 0 ? burst : 1;
	return l;
}

/* FNV-1a with a secret start and a good end; 0 means free, so it is never given. */
static uint64_t hash(uint64_t seed, const char *key, size_t len)
{
	uint64_t h = seed ^ UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * UINT64_C(0x100000001b3);
	h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	h ^= h >> 33;
	return h ? h : 1;
}

static struct bucket *bucket_for(struct limits *l, uint64_t h)
{
	struct bucket *set = l->buckets[h % SETS];
	struct bucket *oldest = set;
	uint64_t old;

	for (size_t i = 0; i < WAYS; i++) {
		if (atomic_load_explicit(&set[i].key, memory_order_relaxed) == h)
			return &set[i];
		if (atomic_load_explicit(&set[i].full_us, memory_order_relaxed) <
			atomic_load_explicit(&oldest->full_us, memory_order_relaxed))
			oldest = &set[i];
	}
	/* Free ones have been full since the beginning of time, so they are the oldest. */
	old = atomic_load_explicit(&oldest->key, memory_order_relaxed);
	if (atomic_compare_exchange_strong(&oldest->key, &old, h))
		atomic_store_explicit(&oldest->full_us, 0, memory_order_relaxed);
	return oldest;
}

static int64_t seconds_up(int64_t us)
{
	return us <= 0 ? 0 : (us + US_PER_S - 1) / US_PER_S;
}

struct limit_state limits_take(struct limits *l, const char *key, size_t key_len)
{
	struct limit_state s = { .limit = l->burst, .remaining = l->burst };
	int64_t now_us = clock_monotonic_us(), span_us = l->cost_us * l->burst;
	struct bucket *b;
	int64_t full_us, next_us;

	if (!l->cost_us)
		return s;
	b = bucket_for(l, hash(l->seed, key, key_len));
	full_us = atomic_load_explicit(&b->full_us, memory_order_relaxed);
	do {
		next_us = (full_us > now_us ? full_us : now_us) + l->cost_us;
		s.refused = next_us - now_us > span_us;
	} while (!s.refused && !atomic_compare_exchange_weak(&b->full_us, &full_us, next_us));
	if (s.refused) {
		/* Until one request fits again. */
		s.remaining = 0;
		s.reset_s = seconds_up(next_us - now_us - span_us);
		return s;
	}
	s.remaining = (span_us - (next_us - now_us)) / l->cost_us;
	s.reset_s = seconds_up(next_us - now_us);
	return s;
}
