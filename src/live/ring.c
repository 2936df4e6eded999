/* See ring.h. Positions have no gaps, so an event is found by subtracting. */
#include "live/ring.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define FIRST_CAP 16
#define MEMBER_TOPIC "member:"

/* --- ids */

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F'                               ? c - 'A' + 10
								     : 0;
}

bool id_read(const char *text, struct id *out)
{
	size_t n = 0;

	if (!text || !uuid_is_valid(text))
		return false;
	for (const char *p = text; *p; p++) {
		if (*p == '-')
			continue;
		out->b[n++] = (uint8_t)(hex_value(p[0]) * 16 + hex_value(p[1]));
		p++;
	}
	return true;
}

void id_write(const struct id *id, char out[UUID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < sizeof(id->b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[n++] = '-';
		out[n++] = digits[id->b[i] >> 4];
		out[n++] = digits[id->b[i] & 15];
	}
	out[n] = '\0';
}

bool id_eq(const struct id *a, const struct id *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* --- events */

static bool read_position(const char *entry_id, int64_t *position)
{
	const char *dash = strchr(entry_id, '-');
	char digits[20];
	size_t len = dash ? (size_t)(dash - entry_id) : sizeof(digits);

	if (len >= sizeof(digits) || !str_eq(dash, "-0"))
		return false;
	memcpy(digits, entry_id, len);
	digits[len] = '\0';
	return str_to_int(digits, 1, INT64_MAX - 1, position);
}

static bool is_noun(const char *s)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz_");

	return len && len < NOUN_MAX && !s[len];
}

bool event_read(struct event_row *e, const char *entry_id, const char *noun, const char *id, const char *topic)
{
	*e = (struct event_row){ 0 };
	if (!entry_id || !noun || !id || !topic || !read_position(entry_id, &e->position) || !is_noun(noun) || !id_read(id, &e->row))
		return false;
	memcpy(e->noun, noun, strlen(noun));
	e->everybody = str_eq(topic, "organization");
	return e->everybody ||
		(str_starts(topic, MEMBER_TOPIC) && id_read(topic + strlen(MEMBER_TOPIC), &e->member));
}

size_t event_write(const struct event_row *e, char out[EVENT_TEXT_MAX])
{
	char id[UUID_TEXT];
	int n;

	id_write(&e->row, id);
	n = snprintf(out, EVENT_TEXT_MAX, "{\"noun\":\"%s\",\"id\":\"%s\",\"position\":%lld}", e->noun, id,
		(long long)e->position);
	return n > 0 ? (size_t)n : 0;
}

/* --- the ring */

void ring_init(struct ring *r, size_t most)
{
	*r = (struct ring){ .most = most };
}

static struct event_row *slot(const struct ring *r, size_t i)
{
	size_t at = r->start + i;

	return &r->rows[at < r->cap ? at : at - r->cap];
}

const struct event_row *ring_at(const struct ring *r, size_t i)
{
	return slot(r, i);
}

static void grow(struct ring *r, const void *mem)
{
	size_t cap = r->cap ? r->cap * 2 : FIRST_CAP;
	struct event_row *rows;

	if (cap > r->most)
		cap = r->most;
	rows = mem_array(mem, struct event_row, cap);
	for (size_t i = 0; i < r->count; i++)
		rows[i] = *slot(r, i);
	mem_free(r->rows);
	r->rows = rows;
	r->cap = cap;
	r->start = 0;
}

void ring_push(struct ring *r, const void *mem, const struct event_row *e)
{
	if (r->count && slot(r, r->count - 1)->position + 1 != e->position)
		ring_clear(r);
	if (r->count == r->cap && r->cap < r->most)
		grow(r, mem);
	if (r->count == r->cap) {
		r->start = r->start + 1 < r->cap ? r->start + 1 : 0;
		r->count--;
	}
	*slot(r, r->count) = *e;
	r->count++;
}

void ring_clear(struct ring *r)
{
	r->start = r->count = 0;
}

int64_t ring_after(const struct ring *r, int64_t position)
{
	int64_t first = r->count ? slot(r, 0)->position : INT64_MAX;

	return position + 1 < first ? -1 : position + 1 - first;
}
