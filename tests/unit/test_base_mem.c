/* Memory and buffers: lifetimes, growth, and each escaping. */
#include "unit.h"

#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

/* A literal and its length, NULs inside included. */
#define BYTES(text) (text), sizeof(text) - 1

START_TEST(allocations_are_zeroed_and_go_with_their_context)
{
	void *root = mem_root("request");
	int *numbers = mem_array(root, int, 5000);

	for (int i = 0; i < 5000; i++)
		ck_assert_int_eq(numbers[i], 0);
	ck_assert_ptr_eq(talloc_parent(numbers), root);
	ck_assert_str_eq(talloc_get_name(root), "request");
	ck_assert_str_eq(mem_strdup(root, "abc"), "abc");
	ck_assert_str_eq(mem_strndup(root, "abcdef", 2), "ab");
	ck_assert_str_eq(mem_printf(root, "%s-%d", "x", 7), "x-7");
	mem_free(root);
	mem_free(NULL);
}
END_TEST

START_TEST(arrays_of_nothing_are_still_there)
{
	int *none = mem_array(unit_mem, int, 0);

	ck_assert_ptr_nonnull(none);
	ck_assert_ptr_nonnull(mem_grow(unit_mem, none, int, 0));
}
END_TEST

START_TEST(growing_keeps_what_was_there)
{
	int *numbers = NULL;

	for (int i = 0; i < 1000; i++) {
		numbers = mem_grow(unit_mem, numbers, int, (size_t)i + 1);
		numbers[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(numbers[i], i);
}
END_TEST

START_TEST(an_impossible_size_ends_the_process)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		close(STDERR_FILENO);
		mem_array(unit_mem, uint64_t, SIZE_MAX / 4);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}
END_TEST

START_TEST(buffers_grow_and_stay_terminated)
{
	struct buf b;

	buf_init(&b, unit_mem);
	ck_assert_str_eq(b.data, "");
	for (int i = 0; i < 10000; i++) {
		buf_putc(&b, 'x');
		ck_assert_int_eq(b.data[b.len], 0);
	}
	ck_assert_uint_eq(b.len, 10000);
	buf_reset(&b);
	ck_assert_str_eq(b.data, "");
	buf_add(&b, BYTES("a\0b"));
	ck_assert_mem_eq(b.data, "a\0b", 4);
}
END_TEST

START_TEST(printf_grows_at_every_boundary)
{
	char text[1025];
	struct buf b;

	memset(text, 'y', sizeof(text));
	for (size_t len = 0; len < 1024; len++) {
		buf_init(&b, unit_mem);
		buf_printf(&b, "%.*s!", (int)len, text);
		ck_assert_uint_eq(b.len, len + 1);
		ck_assert_uint_eq(strlen(b.data), len + 1);
		ck_assert_int_eq(b.data[len], '!');
		mem_free(b.data);
	}
}
END_TEST

START_TEST(html_is_escaped)
{
	struct buf b;

	buf_init(&b, unit_mem);
	buf_html(&b, BYTES("<a href=\"x\">Tom & 'Ann' \xC3\xBC</a>"));
	ck_assert_str_eq(b.data, "&lt;a href=&quot;x&quot;&gt;Tom &amp; &#39;Ann&#39; \xC3\xBC&lt;/a&gt;");
	buf_reset(&b);
	buf_html(&b, BYTES(""));
	ck_assert_str_eq(b.data, "");
}
END_TEST

START_TEST(json_strings_are_escaped)
{
	struct buf b;

	buf_init(&b, unit_mem);
	buf_json_str(&b, BYTES("q\" b\\ n\n t\t r\r b\b f\f \x01 / </s \xC3\xBC"));
	ck_assert_str_eq(b.data, "\"q\\\" b\\\\ n\\n t\\t r\\r b\\b f\\f \\u0001 / <\\/s \xC3\xBC\"");
}
END_TEST

START_TEST(json_strings_are_valid_whatever_comes)
{
	struct buf b;

	buf_init(&b, unit_mem);
	buf_json_str(&b, BYTES("a\xFFz\xC3"));
	ck_assert_str_eq(b.data, "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\"");
	buf_reset(&b);
	buf_json_str(&b, BYTES("a\0b"));
	ck_assert_str_eq(b.data, "\"a\\u0000b\"");
}
END_TEST

START_TEST(urls_are_percent_encoded)
{
	struct buf b;

	buf_init(&b, unit_mem);
	buf_url(&b, BYTES("a-Z_0.~ /?&=+%\xC3\xBC"));
	ck_assert_str_eq(b.data, "a-Z_0.~%20%2F%3F%26%3D%2B%25%C3%BC");
}
END_TEST

UNIT_MAIN("base_mem", allocations_are_zeroed_and_go_with_their_context, arrays_of_nothing_are_still_there,
	growing_keeps_what_was_there, an_impossible_size_ends_the_process, buffers_grow_and_stay_terminated,
	printf_grows_at_every_boundary,
	html_is_escaped, json_strings_are_escaped, json_strings_are_valid_whatever_comes, urls_are_percent_encoded)
