/*
 * The meaning of FastCGI parameters.
 *
 * The path comes from REQUEST_URI alone, which is what the client sent, and is decoded here, once and strictly: no
 * DOCUMENT_URI, which nginx has already decoded and merged, so that nobody gets past a check by being decoded twice. An address with
 * an empty or a dot segment, or with an encoded slash, names nothing here and is not found.
 *
 * Must not look at the body, and must not guess: what is missing or odd is an error.
 */
#include "http/parse.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"

#define ID_MIN 8
#define ID_MAX 64
#define METHOD_MAX 16

static const char *const method_names[] = {
	[METHOD_GET] = "GET",
	[METHOD_HEAD] = "HEAD",
	[METHOD_POST] = "POST",
	[METHOD_PUT] = "PUT",
	[METHOD_PATCH] = "PATCH",
	[METHOD_DELETE] = "DELETE",
	[METHOD_OPTIONS] = "OPTIONS",
};

void request_init(struct request *rq, void *mem)
{
	*rq = (struct request){
		.mem = mem,
		.method = METHOD_OTHER,
		.method_text = "-",
		.path = "-",
		.raw_query = "",
		.host = "",
		.remote_addr = "",
		.content_type = "",
		.body = "",
		.route = "-",
	};
	buf_init(&rq->res.body, mem);
}

static const char *param(const struct request *rq, const char *name)
{
	const char *value = pairs_get(&rq->params, name);

	return value ? value : "";
}

/* nginx makes 32 hex digits; anything that could be mistaken for something else is not taken over. */
static bool id_is_well_formed(const char *id)
{
	size_t len = strlen(id);

	if (len < ID_MIN || len > ID_MAX)
		return false;
	for (const char *p = id; *p; p++)
		if (!isascii(*p) || (!isalnum((unsigned char)*p) && *p != '-'))
			return false;
	return true;
}

static void parse_id(struct request *rq)
{
	const char *id = param(rq, "REQUEST_ID");
	char *made;

	if (id_is_well_formed(id)) {
		rq->id = id;
		return;
	}
	made = mem_array(rq->mem, char, UUID_TEXT);
	uuid_v7(made);
	rq->id = made;
}

static enum err parse_method(struct request *rq, const char **why)
{
	const char *text = param(rq, "REQUEST_METHOD");
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");

	*why = "no request method, or one that is no word";
	if (!len || text[len] || len > METHOD_MAX)
		return ERR_MALFORMED;
	rq->method_text = text;
	for (size_t i = 0; i < sizeof(method_names) / sizeof(*method_names); i++)
		if (strcmp(method_names[i], text) == 0)
			rq->method = (enum method)i;
	return OK;
}

/* Whether a segment is one that other programs would take out. */
static bool segment_is_odd(const char *s, size_t len, bool last)
{
	return (len == 0 && !last) || (len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.');
}

static bool path_is_plain(const char *path)
{
	const char *p = path;

	while (*p == '/') {
		size_t len = strcspn(++p, "/");

		if (segment_is_odd(p, len, p[len] == '\0'))
			return false;
		p += len;
	}
	return true;
}

static enum err parse_path(struct request *rq, const char *raw, size_t len, const char **why)
{
	char *path = str_url_decode(rq->mem, raw, len, false);

	*why = "the path is not encoded as it should be";
	if (!path)
		return ERR_ENCODING;
	for (const unsigned char *p = (const unsigned char *)path; *p; p++)
		if (*p < ' ' || *p == 0x7F)
			return ERR_MALFORMED;
	rq->path = path;
	*why = "the path has empty or dot segments or an encoded slash";
	if (!path_is_plain(path) || memmem(raw, len, "%2F", 3) || memmem(raw, len, "%2f", 3))
		return ERR_NOT_FOUND;
	return OK;
}

static enum err parse_uri(struct request *rq, const char **why)
{
	const char *uri = param(rq, "REQUEST_URI");
	const char *mark = strchrnul(uri, '?');
	enum err e;

	*why = "the address does not begin with a slash, or holds spaces, controls or '#'";
	if (uri[0] != '/')
		return ERR_MALFORMED;
	for (const unsigned char *p = (const unsigned char *)uri; *p; p++)
		if (*p <= ' ' || *p == 0x7F || *p == '#')
			return ERR_MALFORMED;
	e = parse_path(rq, uri, (size_t)(mark - uri), why);
	if (e)
		return e;
	rq->raw_query = *mark ? mark + 1 : "";
	*why = "the query string could not be read";
	return form_parse(rq->mem, rq->raw_query, strlen(rq->raw_query), &rq->query);
}

static enum err parse_length(const struct request *rq, size_t body_max, size_t *len, const char **why)
{
	const char *text = param(rq, "CONTENT_LENGTH");
	size_t digits = strspn(text, "0123456789");
	int64_t value = 0;

	*len = 0;
	if (!*text)
		return OK;
	*why = "the content length is no number";
	if (text[digits])
		return ERR_MALFORMED;
	*why = "body too large";
	if (!str_to_int(text, 0, (int64_t)body_max, &value))
		return ERR_TOO_LARGE;
	*len = (size_t)value;
	return OK;
}

static void parse_content_type(struct request *rq)
{
	const char *text = param(rq, "CONTENT_TYPE");
	char *type;

	text += strspn(text, " \t");
	if (!*text)
		return;
	type = mem_strndup(rq->mem, text, strcspn(text, "; \t,"));
	for (char *p = type; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	rq->content_type = type;
}

enum err request_parse(struct request *rq, size_t body_max, size_t *body_len, const char **why)
{
	enum err e;

	*body_len = 0;
	parse_id(rq);
	parse_content_type(rq);
	rq->host = param(rq, "HTTP_HOST");
	rq->remote_addr = param(rq, "REMOTE_ADDR");
	rq->tls = str_eq(param(rq, "HTTPS"), "on");
	e = parse_method(rq, why);
	if (!e)
		e = parse_uri(rq, why);
	if (!e)
		e = parse_length(rq, body_max, body_len, why);
	return e;
}

/* "If-Match" is HTTP_IF_MATCH; two headers are special in CGI. */
const char *request_header(const struct request *rq, const char *name)
{
	char key[64] = "HTTP_";
	size_t at = 5;

	if (str_eq_nocase(name, "Content-Type") || str_eq_nocase(name, "Content-Length"))
		at = 0;
	for (; *name && at < sizeof(key) - 1; name++)
		key[at++] = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
	key[at] = '\0';
	return *name ? NULL : pairs_get(&rq->params, key);
}
