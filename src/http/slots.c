/*
 * The table of workers. Plain atomic fields and no locks: a worker may die at any instruction.
 */
#include "http/slots.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/log.h"

static struct {
	struct slot *slots;
	int count, npools;
	const char *const *pools;
} table;

struct slot *slots_new(int count, const char *const *pools, int npools)
{
	table.slots = mmap(NULL, sizeof(struct slot) * (size_t)count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (table.slots == MAP_FAILED) {
		log_error("no shared memory for the workers", NULL);
		abort();
	}
	table.count = count;
	table.pools = pools;
	table.npools = npools;
	return table.slots;
}

void slot_set(struct slot *s, enum slot_state state, int64_t now_us)
{
	atomic_store_explicit(&s->since_us, now_us, memory_order_relaxed);
	atomic_store_explicit(&s->state, (int)state, memory_order_release);
}

int slots_pools(void)
{
	return table.npools;
}

const char *slots_pool_name(int pool)
{
	return table.pools[pool];
}

int slots_count(int pool, enum slot_state state)
{
	int n = 0;

	for (int i = 0; i < table.count; i++)
		n += table.slots[i].pool == pool && atomic_load_explicit(&table.slots[i].state, memory_order_acquire) == (int)state;
	return n;
}
