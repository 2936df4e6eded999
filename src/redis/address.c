/*
 * The forms of redis_url:
 *
 *	unix:PATH[?user=NAME&db=N]
 *	HOST:PORT
 *	redis://[USER[:PASSWORD]@]HOST[:PORT][/DB]
 *
 * Names and passwords are percent-encoded where they hold what ends them. A password may stand here, but better in
 * redis_password, which can come from a file of its own; in both it would be open which counts, so that is refused.
 *
 * No message repeats any of the text: a misplaced sign can make anything in it the password.
 */
#include "redis/address.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define PORT 6379
#define DB_MAX 9999
#define FORMS "unix:PATH[?user=NAME&db=N], HOST:PORT or redis://[USER:PASSWORD@]HOST[:PORT][/DB]"

static const char bad_form[] = "has none of the forms " FORMS;
static const char bad_port[] = "has a port that is no number from 1 to 65535";
static const char bad_db[] = "has a database that is no number from 0 to 9999";
static const char bad_text[] = "has a user or password with a wrong percent-encoding";

static bool number(void *mem, const char *text, size_t len, int least, int most, int *out)
{
	int64_t n;

	if (!str_to_int(mem_strndup(mem, text, len), least, most, &n))
		return false;
	*out = (int)n;
	return true;
}

/* HOST[:PORT], [v6][:PORT] */
static const char *read_host(void *mem, const char *s, size_t len, struct redis_address *out)
{
	const char *end = s + len, *host_end, *colon;

	if (len && *s == '[') {
		host_end = memchr(s, ']', len);
		if (!host_end)
			return bad_form;
		colon = host_end + 1;
		s++;
	} else {
		colon = memchr(s, ':', len);
		host_end = colon = colon ? colon : end;
	}
	if (host_end == s || (colon < end && *colon != ':') || memchr(s, '@', (size_t)(host_end - s)))
		return bad_form;
	out->host = mem_strndup(mem, s, (size_t)(host_end - s));
	out->port = PORT;
	if (colon < end && !number(mem, colon + 1, (size_t)(end - colon - 1), 1, 65535, &out->port))
		return bad_port;
	return NULL;
}

/* USER[:PASSWORD] */
static const char *read_who(void *mem, const char *s, size_t len, struct redis_address *out)
{
	const char *colon = memchr(s, ':', len);
	size_t user_len = colon ? (size_t)(colon - s) : len;

	if (user_len)
		out->user = str_url_decode(mem, s, user_len, false);
	if (colon && len > user_len + 1)
		out->password = str_url_decode(mem, colon + 1, len - user_len - 1, false);
	if ((user_len && !out->user) || (colon && len > user_len + 1 && !out->password))
		return bad_text;
	return NULL;
}

static const char *read_tcp(void *mem, const char *s, struct redis_address *out)
{
	const char *at = strrchr(s, '@'), *slash, *fault = NULL;

	if (at) {
		fault = read_who(mem, s, (size_t)(at - s), out);
		s = at + 1;
	}
	slash = strchrnul(s, '/');
	if (!fault)
		fault = read_host(mem, s, (size_t)(slash - s), out);
	if (!fault && slash[0] && slash[1] && !number(mem, slash + 1, strlen(slash + 1), 0, DB_MAX, &out->db))
		fault = bad_db;
	return fault;
}

static const char *read_option(void *mem, const char *s, size_t len, struct redis_address *out)
{
	if (len > 3 && strncmp(s, "db=", 3) == 0)
		return number(mem, s + 3, len - 3, 0, DB_MAX, &out->db) ? NULL : bad_db;
	if (len > 5 && strncmp(s, "user=", 5) == 0) {
		out->user = str_url_decode(mem, s + 5, len - 5, false);
		return out->user ? NULL : bad_text;
	}
	if (len > 9 && strncmp(s, "password=", 9) == 0) {
		out->password = str_url_decode(mem, s + 9, len - 9, false);
		return out->password ? NULL : bad_text;
	}
	return "has something else than user=NAME and db=N behind the question mark";
}

static const char *read_unix(void *mem, const char *s, struct redis_address *out)
{
	const char *mark = strchrnul(s, '?'), *fault = NULL;

	if (mark == s)
		return bad_form;
	out->path = mem_strndup(mem, s, (size_t)(mark - s));
	while (*mark && !fault) {
		const char *end = strchrnul(mark + 1, '&');

		fault = read_option(mem, mark + 1, (size_t)(end - mark - 1), out);
		mark = end;
	}
	return fault;
}

const char *redis_address_read(
	void *mem, const char *url, const char *password, struct redis_address *out)
{
	const char *fault;

	*out = (struct redis_address){ NULL };
	if (str_starts(url, "unix:"))
		fault = read_unix(mem, url + 5, out);
	else if (str_starts(url, "redis://"))
		fault = read_tcp(mem, url + 8, out);
	else if (str_starts(url, "rediss://"))
		fault = "asks for TLS, which is not spoken to Redis here; lead it through a tunnel, or take unix:PATH";
	else if (strstr(url, "://") || strpbrk(url, "/@?") || !strchr(url, ':'))
		fault = bad_form;
	else
		fault = read_host(mem, url, strlen(url), out);
	if (fault)
		return fault;
	if (password && *password && out->password)
		return "has a password and redis_password is set too; keep redis_password";
	if (password && *password)
		out->password = mem_strdup(mem, password);
	return NULL;
}
