/* Requests made of parameters, forms, cookies, and the answers built on them. */
#include "unit.h"

#include <string.h>

#include "aborts.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/answer.h"
#include "http/parse.h"

#define BODY_MAX 1000

static struct request rq;
static size_t body_len;

/* name, value, name, value … NULL */
static enum err parse(const char *const *texts)
{
	struct pairs *p = &rq.params;
	const char *why;

	request_init(&rq, unit_mem);
	p->items = mem_array(unit_mem, struct pair, 20);
	for (; *texts; texts += 2)
		p->items[p->count++] = (struct pair){ .name = texts[0], .value = texts[1] };
	return request_parse(&rq, BODY_MAX, &body_len, &why);
}

static enum err parse_uri(const char *uri)
{
	const char *const texts[] = { "REQUEST_METHOD", "GET", "REQUEST_URI", uri, NULL };

	return parse(texts);
}

START_TEST(a_request_is_understood)
{
	static const char *const texts[] = {
		"REQUEST_METHOD",
		"PATCH",
		"REQUEST_URI",
		"/api/v1/tags/%C3%A4?a=1&b=x+y&a=%26",
		"CONTENT_TYPE",
		" Application/JSON; charset=utf-8",
		"CONTENT_LENGTH",
		"12",
		"REQUEST_ID",
		"0123456789abcdef0123456789abcdef",
		"HTTP_HOST",
		"stint.example",
		"REMOTE_ADDR",
		"::1",
		"HTTPS",
		"on",
		"HTTP_IF_MATCH",
		"\"7\"",
		NULL,
	};

	ck_assert_int_eq(parse(texts), OK);
	ck_assert_int_eq(rq.method, METHOD_PATCH);
	ck_assert_str_eq(rq.path, "/api/v1/tags/ä");
	ck_assert_str_eq(rq.raw_query, "a=1&b=x+y&a=%26");
	ck_assert_uint_eq(rq.query.count, 3);
	ck_assert_str_eq(rq.query.items[1].value, "x y");
	ck_assert_str_eq(rq.query.items[2].value, "&");
	ck_assert_str_eq(rq.content_type, "application/json");
	ck_assert_uint_eq(body_len, 12);
	ck_assert_str_eq(rq.id, "0123456789abcdef0123456789abcdef");
	ck_assert_str_eq(rq.host, "stint.example");
	ck_assert_str_eq(rq.remote_addr, "::1");
	ck_assert(rq.tls);
	ck_assert_str_eq(request_header(&rq, "If-Match"), "\"7\"");
	ck_assert_str_eq(request_header(&rq, "content-length"), "12");
	ck_assert_ptr_null(request_header(&rq, "If-None-Match"));
}
END_TEST

START_TEST(plain_paths_pass)
{
	static const char *const good[][2] = {
		{ "/", "/" },
		{ "/a", "/a" },
		{ "/a/", "/a/" },
		{ "/a/b?x", "/a/b" },
		{ "/...", "/..." },
		{ "/.a/b.", "/.a/b." },
		{ "/a%20b", "/a b" },
		{ "/a+b", "/a+b" },
		{ "/%41?", "/A" },
		{ "/a?b=/../", "/a" },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		ck_assert_msg(parse_uri(good[i][0]) == OK, "%s", good[i][0]);
		ck_assert_str_eq(rq.path, good[i][1]);
	}
}
END_TEST

START_TEST(odd_paths_are_refused)
{
	static const struct {
		const char *uri;
		enum err err;
	} bad[] = {
		{ "", ERR_MALFORMED },
		{ "a", ERR_MALFORMED },
		{ "*", ERR_MALFORMED },
		{ "http://x/", ERR_MALFORMED },
		{ "/a b", ERR_MALFORMED },
		{ "/a\tb", ERR_MALFORMED },
		{ "/a#b", ERR_MALFORMED },
		{ "/%0A", ERR_MALFORMED },
		{ "/%7f", ERR_MALFORMED },
		{ "//", ERR_NOT_FOUND },
		{ "//a", ERR_NOT_FOUND },
		{ "/a//b", ERR_NOT_FOUND },
		{ "/a//", ERR_NOT_FOUND },
		{ "/.", ERR_NOT_FOUND },
		{ "/..", ERR_NOT_FOUND },
		{ "/a/../b", ERR_NOT_FOUND },
		{ "/a/./b", ERR_NOT_FOUND },
		{ "/a/..", ERR_NOT_FOUND },
		{ "/%2e%2E/a", ERR_NOT_FOUND },
		{ "/a%2Fb", ERR_NOT_FOUND },
		{ "/a%2fb", ERR_NOT_FOUND },
		{ "/%00", ERR_ENCODING },
		{ "/%", ERR_ENCODING },
		{ "/%4", ERR_ENCODING },
		{ "/%zz", ERR_ENCODING },
		{ "/%ff", ERR_ENCODING },
		{ "/%c0%af", ERR_ENCODING },
		{ "/%ed%a0%80", ERR_ENCODING },
		{ "/a?x=%00", ERR_ENCODING },
		{ "/a?x=%ff", ERR_ENCODING },
		{ "/a?%=1", ERR_ENCODING },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(parse_uri(bad[i].uri) == bad[i].err, "%s", bad[i].uri);
}
END_TEST

START_TEST(methods_are_words)
{
	static const char *const bad[] = { "", "get", "GET ", "GE T", "G\tT", "ABCDEFGHIJKLMNOPQRST", "GET/" };
	const char *none[] = { "REQUEST_URI", "/", NULL };
	const char *texts[] = { "REQUEST_METHOD", "PROPFIND", "REQUEST_URI", "/", NULL };

	ck_assert_int_eq(parse(texts), OK);
	ck_assert_int_eq(rq.method, METHOD_OTHER);
	ck_assert_str_eq(rq.method_text, "PROPFIND");
	ck_assert_int_eq(parse(none), ERR_MALFORMED);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		texts[1] = bad[i];
		ck_assert_msg(parse(texts) == ERR_MALFORMED, "%s", bad[i]);
	}
}
END_TEST

START_TEST(lengths_are_numbers)
{
	static const struct {
		const char *text;
		enum err err;
	} cases[] = {
		{ "", OK },
		{ "0", OK },
		{ "1000", OK },
		{ "1001", ERR_TOO_LARGE },
		{ "99999999999999999999999", ERR_TOO_LARGE },
		{ "-1", ERR_MALFORMED },
		{ "+1", ERR_MALFORMED },
		{ " 1", ERR_MALFORMED },
		{ "1 ", ERR_MALFORMED },
		{ "0x10", ERR_MALFORMED },
		{ "1e3", ERR_MALFORMED },
		{ "abc", ERR_MALFORMED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *texts[] = { "REQUEST_METHOD", "GET", "REQUEST_URI", "/", "CONTENT_LENGTH", cases[i].text, NULL };

		ck_assert_msg(parse(texts) == cases[i].err, "%s", cases[i].text);
	}
}
END_TEST

START_TEST(odd_request_ids_are_replaced)
{
	static const char *const bad[] = { "", "short", "has space inside", "<script>alert</script>", "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *texts[] = { "REQUEST_METHOD", "GET", "REQUEST_URI", "/", "REQUEST_ID", bad[i], NULL };

		ck_assert_int_eq(parse(texts), OK);
		ck_assert_str_ne(rq.id, bad[i]);
		ck_assert_uint_eq(strlen(rq.id), 36);
	}
}
END_TEST

START_TEST(forms_are_read_in_order)
{
	static const char text[] = "a=1&b=&c&&a=%E2%82%AC+x&=v&d=e=f";
	struct pairs p;

	ck_assert_int_eq(form_parse(unit_mem, text, strlen(text), &p), OK);
	ck_assert_uint_eq(p.count, 6);
	ck_assert_str_eq(p.items[0].value, "1");
	ck_assert_str_eq(p.items[1].value, "");
	ck_assert_str_eq(p.items[2].name, "c");
	ck_assert_str_eq(p.items[2].value, "");
	ck_assert_str_eq(p.items[3].value, "€ x");
	ck_assert_str_eq(p.items[4].name, "");
	ck_assert_str_eq(p.items[5].value, "e=f");
	ck_assert_int_eq(form_parse(unit_mem, "", 0, &p), OK);
	ck_assert_uint_eq(p.count, 0);
}
END_TEST

START_TEST(odd_forms_are_refused)
{
	static const char *const bad[] = { "a=%", "a=%0", "a=%00", "a=%zz", "a=%ff", "%c3=1", "a=\xff", "a=\xed\xa0\x80" };
	char many[1100];
	struct pairs p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(form_parse(unit_mem, bad[i], strlen(bad[i]), &p) == ERR_ENCODING, "%s", bad[i]);
	ck_assert_int_eq(form_parse(unit_mem, "a=\0b", 4, &p), ERR_ENCODING);
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 2 ? '&' : 'a';
	ck_assert_int_eq(form_parse(unit_mem, many, 1023, &p), OK);
	ck_assert_uint_eq(p.count, 512);
	ck_assert_int_eq(form_parse(unit_mem, many, 1024, &p), ERR_TOO_LARGE);
}
END_TEST

static const char *cookie(const char *header, const char *name)
{
	const char *texts[] = { "REQUEST_METHOD", "GET", "REQUEST_URI", "/", "HTTP_COOKIE", header, NULL };

	ck_assert_int_eq(parse(texts), OK);
	return request_cookie(&rq, name);
}

START_TEST(cookies_are_found_by_exact_name)
{
	ck_assert_str_eq(cookie("a=1", "a"), "1");
	ck_assert_str_eq(cookie("xa=0; a=1; ab=2", "a"), "1");
	ck_assert_str_eq(cookie("__Host-stint=abc_-123;  b=2 ", "__Host-stint"), "abc_-123");
	ck_assert_str_eq(cookie("b=2; a=x=y ;c", "a"), "x=y");
	ck_assert_str_eq(cookie("a=", "a"), "");
	ck_assert_ptr_null(cookie("A=1", "a"));
	ck_assert_ptr_null(cookie("a", "a"));
	ck_assert_ptr_null(cookie("ba=1", "a"));
	ck_assert_ptr_null(cookie("", "a"));
	ck_assert_ptr_null(cookie(";;; ;", "a"));
	/* Two of one name: one of them was planted. */
	ck_assert_ptr_null(cookie("a=1; b=2; a=3", "a"));
	ck_assert_ptr_null(cookie("a=1; a=1", "a"));
}
END_TEST

START_TEST(headers_replace_and_cookies_add)
{
	ck_assert_int_eq(parse_uri("/"), OK);
	for (int i = 0; i < 9; i++)
		res_header(&rq, mem_printf(unit_mem, "X-%d", i), "v");
	res_header(&rq, "x-3", "w");
	ck_assert_uint_eq(rq.res.headers.count, 9);
	ck_assert_str_eq(res_header_get(&rq, "X-3"), "w");
	res_cookie(&rq, "__Host-a", "1", 0);
	res_cookie(&rq, "__Host-b", "2", 60);
	res_cookie(&rq, "__Host-c", "", -1);
	ck_assert_uint_eq(rq.res.headers.count, 12);
	ck_assert_str_eq(rq.res.headers.items[9].value, "__Host-a=1; Path=/; HttpOnly; Secure; SameSite=Lax");
	ck_assert_str_eq(rq.res.headers.items[10].value, "__Host-b=2; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax");
	ck_assert_str_eq(rq.res.headers.items[11].value, "__Host-c=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax");
}
END_TEST

static void split_a_header(void)
{
	res_header(&rq, "Location", "/a\r\nSet-Cookie: x=1");
}

static void misname_a_header(void)
{
	res_header(&rq, "X: y", "z");
}

static void extend_a_cookie(void)
{
	res_cookie(&rq, "a", "b; Domain=evil", 0);
}

START_TEST(headers_that_would_be_two_abort)
{
	ck_assert_int_eq(parse_uri("/"), OK);
	ck_assert(aborts(split_a_header));
	ck_assert(aborts(misname_a_header));
	ck_assert(aborts(extend_a_cookie));
}
END_TEST

static const char *head(bool *with_body)
{
	struct buf b;

	buf_init(&b, unit_mem);
	answer_head(&rq, &b, with_body);
	return b.data;
}

START_TEST(heads_have_what_all_have)
{
	bool with_body;

	ck_assert_int_eq(parse_uri("/"), OK);
	rq.id = "id";
	res_body(&rq, 200, "text/plain", "abc", 3);
	res_header(&rq, "Content-Length", "999");
	ck_assert_str_eq(head(&with_body), "Status: 200 OK\r\nContent-Type: text/plain\r\nX-Request-Id: id\r\n"
					   "Cache-Control: no-store\r\nContent-Length: 3\r\n\r\n");
	ck_assert(with_body);
	res_header(&rq, "Cache-Control", "max-age=9");
	rq.method = METHOD_HEAD;
	ck_assert_ptr_nonnull(strstr(head(&with_body), "Cache-Control: max-age=9\r\nX-Request-Id: id\r\nContent-Length: 3\r\n"));
	ck_assert(!with_body);
	rq.method = METHOD_GET;
	rq.res.status = 204;
	ck_assert_ptr_null(strstr(head(&with_body), "Content-Length"));
	ck_assert(!with_body);
}
END_TEST

START_TEST(problems_replace_what_was_built)
{
	bool with_body;

	ck_assert_int_eq(parse_uri("/"), OK);
	rq.id = "id";
	res_body(&rq, 200, "text/html", "half", 4);
	res_header(&rq, "ETag", "\"1\"");
	answer_problem(&rq, ERR_TOO_LARGE);
	ck_assert_int_eq(rq.res.status, 413);
	ck_assert_str_eq(rq.error, "too_large");
	ck_assert_ptr_null(strstr(head(&with_body), "ETag"));
	ck_assert_str_eq(rq.res.body.data, "{\"type\":\"urn:stint:error:too_large\",\"title\":\"Request too large\",\"status\":413,"
					   "\"code\":\"too_large\",\"detail\":\"Send less at once.\",\"request_id\":\"id\"}");
}
END_TEST

UNIT_MAIN("http_request", a_request_is_understood, plain_paths_pass, odd_paths_are_refused, methods_are_words, lengths_are_numbers,
	odd_request_ids_are_replaced, forms_are_read_in_order, odd_forms_are_refused, cookies_are_found_by_exact_name,
	headers_replace_and_cookies_add, headers_that_would_be_two_abort, heads_have_what_all_have,
	problems_replace_what_was_built)
