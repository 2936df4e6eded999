/* JSON: what passes, what is refused with which error, and that nothing changes on the way. */
#include "unit.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/mem.h"

#define BYTES(text) (text), sizeof(text) - 1

static enum err parsed(const char *text, size_t len, struct json_object **out)
{
	const char *where = NULL;
	/* Exactly as long as it is, so that the sanitizer sees a read behind it. */
	char *copy = mem_array(unit_mem, char, len ? len : 1);
	enum err e;

	memcpy(copy, text, len);
	e = json_parse(unit_mem, copy, len, out, &where);
	ck_assert_msg(!e == !where, "an error has a place: %.60s", text);
	mem_free(copy);
	return e;
}

static enum err refused(const char *text)
{
	struct json_object *out = NULL;
	enum err e = parsed(text, strlen(text), &out);

	ck_assert_ptr_null(out);
	return e;
}

/* Both are JSON; the second is what comes back. */
static const struct {
	const char *text;
	const char *back;
} good[] = {
	{ .text = "{}", .back = "{}" },
	{ .text = " [ ] \r\n\t", .back = "[]" },
	{ .text = "null", .back = "null" },
	{ .text = "true", .back = "true" },
	{ .text = "\"\"", .back = "\"\"" },
	{ .text = "0", .back = "0" },
	{ .text = "-0", .back = "0" },
	{ .text = "12", .back = "12" },
	{ .text = "9223372036854775807", .back = "9223372036854775807" },
	{ .text = "-9223372036854775808", .back = "-9223372036854775808" },
	{ .text = "[1.5,-0.25,1e3,1E+2,2e-2]", .back = "[1.5,-0.25,1e3,1E+2,2e-2]" },
	{ .text = "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}", .back = "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}" },
	{ .text = "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", .back = "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
	{ .text = "\"\\u00fc\\u20ac\\ud83d\\ude00\"", .back = "\"\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80\"" },
	{ .text = "{\"\":1,\"A\":2,\"a\":3}", .back = "{\"\":1,\"A\":2,\"a\":3}" },
	{ .text = "\"\x7F\"", .back = "\"\x7F\"" },
	{ .text = "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", .back = "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]" },
};

START_TEST(json_passes_unchanged)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct json_object *out = NULL;

		ck_assert_msg(!parsed(good[i].text, strlen(good[i].text), &out), "%s", good[i].text);
		ck_assert_str_eq(json_text(unit_mem, out), good[i].back);
	}
}
END_TEST

START_TEST(what_is_not_json_is_refused)
{
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"}",
		"[",
		"]",
		"[1",
		"[1,",
		"[1,]",
		"[,1]",
		"[1 2]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"{'a':1}",
		"'a'",
		"{\"a\" 1}",
		"{1:1}",
		"[1}",
		"{\"a\":1]",
		"\"",
		"\"a",
		"\"\\",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"\t\"",
		"\"\n\"",
		"NaN",
		"Infinity",
		"-Infinity",
		"nul",
		"nulll",
		"TRUE",
		"tru",
		"01",
		"-01",
		"+1",
		".5",
		"1.",
		"1.e3",
		"1e",
		"1e+",
		"-",
		"--1",
		"0x10",
		"1_000",
		"1 2",
		"{} {}",
		"[] x",
		"// a\n1",
		"/* a */ 1",
		"[1] // a",
		"\xEF\xBB\xBF{}",
		"1e400",
		"-1e400",
		"9223372036854775808",
		"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
		"\v1",
		("\xC2\xA0"
		 "1"),
		"{\"a\":1 \"b\":2}",
		"[\"a\":1]",
		"{,}",
		"{\"a\":1,,}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(refused(bad[i]) == ERR_JSON_SYNTAX, "%zu: %s", i, bad[i]);
}
END_TEST

START_TEST(text_must_be_text)
{
	static const char *const bad[] = {
		"\"\xFF\"",
		"\"\xC0\xAF\"",
		"\"\xED\xA0\x80\"",
		"\"a\xC3\"",
		"\"\\u0000\"",
		"\"\\ud800\"",
		"\"\\udc00\"",
		"\"\\ud800x\"",
		"\"\\ud800\\n\"",
		"\"\\ud800\\ud800\"",
		"{\"a\\u0000b\":1}",
		"{\"\xFF\":1}",
	};
	struct json_object *out;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(refused(bad[i]) == ERR_ENCODING, "%zu: %s", i, bad[i]);
	ck_assert_int_eq(parsed(BYTES("\"a\0b\""), &out), ERR_ENCODING);
	ck_assert_int_eq(parsed(BYTES("1\0"), &out), ERR_JSON_SYNTAX);
	ck_assert_int_eq(parsed(BYTES("\0"), &out), ERR_JSON_SYNTAX);
}
END_TEST

START_TEST(a_key_stands_once_however_it_is_written)
{
	static const char *const bad[] = {
		"{\"a\":1,\"a\":1}",
		"{\"a\":1,\"b\":2,\"a\":3}",
		"{\"a\":1,\"\\u0061\":2}",
		"{\"\":1,\"\":2}",
		"[{\"x\":{\"a\":1,\"c\":{\"a\":1},\"a\":2}}]",
		"{\"\xC3\xBC\":1,\"\\u00FC\":2}",
		"{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":1}",
		"{\"\\/\":1,\"/\":1}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(refused(bad[i]) == ERR_JSON_DUPLICATE, "%zu: %s", i, bad[i]);
}
END_TEST

START_TEST(many_keys_are_told_apart)
{
	struct json_object *out;
	struct buf text;

	buf_init(&text, unit_mem);
	buf_putc(&text, '{');
	for (int i = 0; i < 20000; i++)
		buf_printf(&text, "\"key%d\":{\"key1\":%d},", i, i);
	buf_puts(&text, "\"last\":0}");
	ck_assert_int_eq(parsed(text.data, text.len, &out), OK);
	ck_assert_int_eq(json_object_object_length(out), 20001);
	text.len--;
	buf_puts(&text, ",\"key777\":0}");
	ck_assert_int_eq(parsed(text.data, text.len, &out), ERR_JSON_DUPLICATE);
}
END_TEST

START_TEST(the_place_is_told)
{
	static const struct {
		const char *text;
		const char *where;
	} cases[] = {
		{ .text = "{\n  \"a\": 1,\n  \"\xC3\xBC\": x\n}", .where = "line 3, column 8: expected a value" },
		{ .text = "[1,2", .where = "line 1, column 5, at the end: expected ',' or ']'" },
		{ .text = "{\"a\":1,\n\"a\":2}", .where = "line 2, column 1: this key was there before in the same object" },
		{ .text = "[1e999]", .where = "line 1, column 2: number too large" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_object *out;
		const char *where = NULL;

		ck_assert(json_parse(unit_mem, cases[i].text, strlen(cases[i].text), &out, &where));
		ck_assert_str_eq(where, cases[i].where);
	}
	ck_assert(json_scan(unit_mem, "x", 1, NULL));
}
END_TEST

/* A hostile body costs no more than its length. */
START_TEST(endless_input_is_bounded)
{
	size_t len = (size_t)1024 * 1024;
	char *text = mem_array(unit_mem, char, len + 1);

	memset(text, '[', len);
	ck_assert_int_eq(refused(text), ERR_JSON_SYNTAX);
	memset(text, '9', len);
	ck_assert_int_eq(refused(text), ERR_JSON_SYNTAX);
	memset(text, '"', len);
	ck_assert_int_eq(refused(text), ERR_JSON_SYNTAX);
}
END_TEST

START_TEST(trees_go_with_their_context)
{
	void *ctx = talloc_new(unit_mem);
	struct json_object *kept;
	struct json_object *obj = json_object_new_object();

	kept = json_object_get(obj);
	ck_assert_ptr_eq(json_own(ctx, obj), obj);
	ck_assert_ptr_null(json_own(ctx, NULL));
	mem_free(ctx);
	ck_assert_int_eq(json_object_put(kept), 1); /* ours was the last */
}
END_TEST

START_TEST(documents_of_our_own_are_taken_as_they_are)
{
	struct json_object *doc = json_trusted(unit_mem, "{\"name\": \"</script><\\/x>\", \"n\": 1.50}");

	ck_assert_str_eq(json_str(doc, "name"), "</script></x>");
	ck_assert_ptr_null(json_str(doc, "n"));
	ck_assert_ptr_null(json_str(doc, "absent"));
	ck_assert_ptr_null(json_str(NULL, "absent"));
	ck_assert_str_eq(json_text(unit_mem, doc), "{\"name\":\"<\\/script><\\/x>\",\"n\":1.50}");
	ck_assert_ptr_null(json_trusted(unit_mem, "{"));
	ck_assert_ptr_null(json_trusted(unit_mem, ""));
	ck_assert_str_eq(json_text(unit_mem, NULL), "null");
}
END_TEST

UNIT_MAIN("base_json", json_passes_unchanged, what_is_not_json_is_refused, text_must_be_text,
	a_key_stands_once_however_it_is_written, many_keys_are_told_apart, the_place_is_told, endless_input_is_bounded,
	trees_go_with_their_context, documents_of_our_own_are_taken_as_they_are)
