/* See ticket.h. Redis is ours, but what comes from it is judged like anything else: a ticket that is not whole is none. */
#include "live/ticket.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"

#define HEX_MARK 2 /* "\x" before a hash */

static bool read_number(struct json_object *o, const char *key, int64_t *out)
{
	struct json_object *v = NULL;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_int))
		return false;
	*out = json_object_get_int64(v);
	return *out >= 0;
}

static bool read_topic(struct hearing *t, const char *topic)
{
	struct id id;

	if (str_eq(topic, "organization"))
		t->organization = true;
	else if (str_eq(topic, "members"))
		t->members = true;
	else if (topic && str_starts(topic, "member:") && id_read(topic + 7, &id) && id_eq(&id, &t->member))
		t->own = true;
	else
		return false;
	return true;
}

static bool read_topics(struct ticket *t, struct json_object *o)
{
	struct json_object *list = NULL;

	if (!json_object_object_get_ex(o, "topics", &list) || !json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *topic = json_object_array_get_idx(list, i);

		if (!json_object_is_type(topic, json_type_string) || !read_topic(&t->hearing, json_object_get_string(topic)))
			return false;
	}
	return true;
}

bool ticket_read(const char *json, size_t len, struct ticket *out)
{
	void *mem = talloc_new(NULL);
	struct json_object *o = NULL;
	bool ok;

	*out = (struct ticket){ 0 };
	ok = json_parse(mem, json, len, &o, NULL) == OK && json_object_is_type(o, json_type_object) &&
		id_read(json_str(o, "organization"), &out->organization) && id_read(json_str(o, "member"), &out->hearing.member) &&
		id_read(json_str(o, "credential"), &out->credential) && read_number(o, "expires_at", &out->expires_s) &&
		read_number(o, "position", &out->position) && read_topics(out, o);
	mem_free(mem);
	return ok;
}

bool hears(const struct hearing *h, const struct event_row *e)
{
	if (e->everybody)
		return h->organization;
	return h->members || (h->own && id_eq(&h->member, &e->member));
}

char *ticket_key(void *mem, const char *ticket)
{
	return mem_printf(mem, "live:ticket:%s", token_hash(mem, ticket) + HEX_MARK);
}
