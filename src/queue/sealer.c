/*
 * The sealer: gives committed events their positions (app.events_seal, one at a time in the installation) and publishes them to
 * the streams that stint-live reads, `live:<organization>`, entry <position>-0, fields noun, id, topic: that something
 * changed, never what.
 *
 * Positions are gapless, so is a stream: an entry is added only behind the one before it. What the stream lacks then (sealed while
 * Redis was away, by a sealer that died before it had published, or forgotten by a Redis that was restarted) is caught up from
 * PostgreSQL first. Streams into which nothing new comes are looked after in between.
 */
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "queue/child.h"

enum { CHUNK = 500, NAP_MS = 40, NAP_AWAY_MS = 200, KEEP = 1000, CATCH_UP_US = 10000000, LOOK_US = 1000000, KNOWN_MOST = 20000 };

#define MARK_KEY "live-mark" /* a Redis without it has lost all streams */

/* Where an organization's stream stands, as far as this process knows. */
struct stream {
	char organization[UUID_TEXT];
	int64_t position;
};

struct sealer {
	struct child *c;
	struct stream *known; /* by organization */
	int nknown;
	int64_t catch_up_us, look_us, generation;
};

static void known_clear(struct sealer *s)
{
	mem_free(s->known);
	s->known = NULL;
	s->nknown = 0;
}

/* Where it is, or would be. */
static int known_place(const struct sealer *s, const char *organization)
{
	int low = 0, high = s->nknown;

	while (low < high) {
		int middle = (low + high) / 2;

		if (strcmp(s->known[middle].organization, organization) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct stream *known_find(const struct sealer *s, const char *organization)
{
	int at = known_place(s, organization);

	return at < s->nknown && str_eq(s->known[at].organization, organization) ? &s->known[at] : NULL;
}

static void known_set(struct sealer *s, const char *organization, int64_t position)
{
	struct stream *known = known_find(s, organization);
	int at;

	if (known) {
		known->position = position;
		return;
	}
	if (s->nknown == KNOWN_MOST)
		known_clear(s);
	at = known_place(s, organization);
	s->known = mem_grow(s->c->mem, s->known, struct stream, (size_t)s->nknown + 1);
	memmove(s->known + at + 1, s->known + at, sizeof(*s->known) * (size_t)(s->nknown - at));
	s->known[at] = (struct stream){ .position = position };
	memcpy(s->known[at].organization, organization, strnlen(organization, UUID_TEXT - 1) + 1);
	s->nknown++;
}

static int64_t number(const struct db_result *rows, int row, const char *column)
{
	int64_t n = 0;

	str_to_int(db_text(rows, row, column), 0, INT64_MAX, &n);
	return n;
}

/* False when Redis is away. The stream has the entry then, unless there is a gap before it: known says how far it goes. */
static bool add(struct sealer *s, void *mem, const char *organization, const struct db_result *rows, int row, bool jump)
{
	const char *key = mem_printf(mem, "live:%s", organization);
	int64_t position = number(rows, row, "position"), last = 0;
	const char *fields[] = { "noun", db_text(rows, row, "noun"), "id", db_text(rows, row, "row_id"), "topic",
		db_text(rows, row, "topic") };

	fail_point("publish.before");
	if (!redis_stream_follow(s->c->redis, key, position, jump, KEEP, fields, 3, &last))
		return false;
	fail_point("publish.after");
	known_set(s, organization, last);
	return true;
}

static bool known_reaches(const struct sealer *s, const char *organization, int64_t position)
{
	const struct stream *known = known_find(s, organization);

	return known && known->position >= position;
}

/* Publishes what the stream does not have, up to what PostgreSQL has sealed by now. */
static bool catch_up(struct sealer *s, const char *organization)
{
	void *mem = mem_root("catch up");
	int64_t last = -1;
	bool ok = redis_stream_last(s->c->redis, mem_printf(mem, "live:%s", organization), &last);
	struct db_result *rows = NULL;
	struct db_stmt stmt;

	fail_point("catch_up.before");
	if (ok) {
		stmt = db_bind(mem, "events_after", (const char *const[]){ "organization_id", organization, "position",
			mem_printf(mem, "%lld", (long long)(last < 0 ? 0 : last)), "most", mem_printf(mem, "%d", KEEP), NULL });
		ok = db_run(s->c->db, mem, &stmt, 1, true, &rows, NULL) == OK;
		fail_point("catch_up.after");
		if (ok)
			known_set(s, organization, last);
		/* What is older than the newest so many is let go: then the first of them does not follow the last one there. */
		for (int i = 0; ok && i < db_rows(rows); i++)
			ok = add(s, mem, organization, rows, i, i == 0) && known_reaches(s, organization, number(rows, i, "position"));
	}
	mem_free(mem);
	return ok;
}

static bool publish(struct sealer *s, const struct db_result *rows)
{
	void *mem = mem_root("publish");
	bool ok = true;

	for (int i = 0; ok && i < db_rows(rows); i++) {
		const char *organization = db_text(rows, i, "organization_id");
		int64_t position = number(rows, i, "position");

		if (known_reaches(s, organization, position))
			continue;
		ok = add(s, mem, organization, rows, i, false);
		if (ok && !known_reaches(s, organization, position))
			ok = catch_up(s, organization);
	}
	mem_free(mem);
	return ok;
}

/* What another sealer left behind, or was sealed without Redis. */
static bool catch_up_all(struct sealer *s)
{
	void *mem = mem_root("heads");
	const struct db_stmt stmt = db_bind(mem, "event_heads_recent", NULL);
	struct db_result *rows = NULL;
	bool ok = redis_ping(s->c->redis) && db_run(s->c->db, mem, &stmt, 1, true, &rows, NULL) == OK;

	for (int i = 0; ok && i < db_rows(rows) && !child_is_leaving(); i++) {
		const char *organization = db_text(rows, i, "organization_id");
		const struct stream *known = known_find(s, organization);

		if (!known || known->position < number(rows, i, "position"))
			ok = catch_up(s, organization);
	}
	mem_free(mem);
	return ok;
}

/* A Redis that was restarted, or flushed, may have lost the end of any stream. */
static void look_at_redis(struct sealer *s)
{
	void *mem = mem_root("mark");
	const char *mark = NULL;

	if (redis_get(s->c->redis, mem, MARK_KEY, &mark) && (!mark || s->generation != redis_generation(s->c->redis))) {
		known_clear(s);
		s->catch_up_us = 0;
		if (redis_set(s->c->redis, MARK_KEY, "1", 0))
			s->generation = redis_generation(s->c->redis);
	}
	mem_free(mem);
}

/* How many were sealed; -1 when PostgreSQL is away. */
static int seal(struct sealer *s)
{
	void *mem = mem_root("seal");
	const struct db_stmt stmt = db_bind(mem, "events_seal", (const char *const[]){ "most", mem_printf(mem, "%d", CHUNK), NULL });
	struct db_result *rows = NULL;
	int n = -1;

	fail_point("seal.before");
	if (db_run(s->c->db, mem, &stmt, 1, false, &rows, NULL) == OK) {
		fail_point("seal.after");
		n = db_rows(rows);
		if (n && !publish(s, rows)) {
			known_clear(s); /* nobody knows how far it came */
			s->catch_up_us = 0;
		}
	}
	mem_free(mem);
	return n;
}

void sealer_main(struct child *c)
{
	struct sealer s = { .c = c };

	redis_set_timeout(c->redis, 2000);
	while (!child_is_leaving()) {
		int n = seal(&s);
		int64_t now_us = clock_monotonic_us();

		atomic_store(&c->seat->up, 1);
		if (now_us >= s.look_us) {
			look_at_redis(&s);
			s.look_us = now_us + LOOK_US;
		}
		if (now_us >= s.catch_up_us) {
			bool ok = catch_up_all(&s);

			if (!ok)
				known_clear(&s);
			s.catch_up_us = now_us + (ok ? CATCH_UP_US : LOOK_US);
		}
		if (n < CHUNK)
			child_nap(n < 0 ? NAP_AWAY_MS : NAP_MS);
	}
}
