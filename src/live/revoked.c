/* A ring of ids, oldest out first, with a chained hash over it. Ids are random enough to be their own hash. */
#include "live/revoked.h"

#include <string.h>

#include "base/mem.h"

#define BUCKETS 16384
#define NONE (-1)

struct revoked {
	struct id ids[REVOKED_MAX];
	int32_t next[REVOKED_MAX]; /* in the same bucket */
	int32_t bucket[BUCKETS];
	size_t count, at;
};

static size_t bucket_of(const struct id *id)
{
	/* A UUIDv7 begins with the time; its end is random. */
	return ((size_t)id->b[14] << 8 | id->b[15]) % BUCKETS;
}

struct revoked *revoked_new(void *mem)
{
	struct revoked *r = mem_new(mem, struct revoked);

	for (size_t i = 0; i < BUCKETS; i++)
		r->bucket[i] = NONE;
	return r;
}

bool revoked_has(const struct revoked *r, const struct id *id)
{
	for (int32_t i = r->bucket[bucket_of(id)]; i != NONE; i = r->next[i])
		if (id_eq(&r->ids[i], id))
			return true;
	return false;
}

static void take_out(struct revoked *r, int32_t gone)
{
	int32_t *link = &r->bucket[bucket_of(&r->ids[gone])];

	while (*link != gone)
		link = &r->next[*link];
	*link = r->next[gone];
}

void revoked_add(struct revoked *r, const struct id *id)
{
	int32_t i = (int32_t)r->at;

	if (revoked_has(r, id))
		return;
	if (r->count == REVOKED_MAX)
		take_out(r, i);
	else
		r->count++;
	r->ids[i] = *id;
	r->next[i] = r->bucket[bucket_of(id)];
	r->bucket[bucket_of(id)] = i;
	r->at = (r->at + 1) % REVOKED_MAX;
}
