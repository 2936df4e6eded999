/* Text: comparison, UTF-8, trimming, numbers, URL and base64url decoding. */
#include "unit.h"

#include <string.h>

#include "base/str.h"

START_TEST(equality_knows_null)
{
	ck_assert(str_eq("a", "a"));
	ck_assert(!str_eq("a", "A"));
	ck_assert(!str_eq("a", NULL));
	ck_assert(!str_eq(NULL, ""));
	ck_assert(str_eq(NULL, NULL));
	ck_assert(str_eq_nocase("HeLLo", "hEllO"));
	ck_assert(!str_eq_nocase("hello", "hello!"));
	ck_assert(!str_eq_nocase("[", "{"));
	ck_assert(!str_eq_nocase(NULL, "x"));
}
END_TEST

START_TEST(beginnings_and_ends)
{
	ck_assert(str_starts("abc", "ab"));
	ck_assert(str_starts("abc", ""));
	ck_assert(!str_starts("ab", "abc"));
	ck_assert(str_ends("abc", "bc"));
	ck_assert(str_ends("abc", ""));
	ck_assert(!str_ends("bc", "abc"));
}
END_TEST

START_TEST(utf8_is_judged_by_the_standard)
{
	static const char *const good[] = { "", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80",
		"\xED\x9F\xBF",
		"\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF" };
	static const char *const bad[] = { "\x80", "\xC0\xAF", "\xC1\xBF", "\xC3", "\xC3(",
		"\xE0\x9F\xBF", "\xE2\x82",
		"\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98",
		"\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF", "ok\xE2\x28\xA1" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(str_is_utf8(good[i], strlen(good[i])), "good %zu", i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!str_is_utf8(bad[i], strlen(bad[i])), "bad %zu", i);
	ck_assert(!str_is_utf8("a\0b", 3));
	ck_assert(!str_is_utf8("\xE2\x82\xAC", 2));
}
END_TEST

START_TEST(length_counts_code_points)
{
	ck_assert_uint_eq(str_length(""), 0);
	ck_assert_uint_eq(str_length("a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80"), 4);
}
END_TEST

START_TEST(trimming_knows_every_blank)
{
	ck_assert_str_eq(str_trim(unit_mem, " \t\r\n a b \n"), "a b");
	ck_assert_str_eq(str_trim(unit_mem,
		"\xC2\xA0\xE3\x80\x80x\xE2\x80\x89\xE2\x80\x8B\xEF\xBB\xBF"), "x");
	ck_assert_str_eq(str_trim(unit_mem, " \xE2\x80\x8B "), "");
	ck_assert_str_eq(str_trim(unit_mem, ""), "");
	ck_assert_str_eq(str_trim(unit_mem, "\xC3\xBC"), "\xC3\xBC");
	ck_assert_str_eq(str_trim(unit_mem, "\xE2\x82\xAC \xF0\x9F\x98\x80"),
		"\xE2\x82\xAC \xF0\x9F\x98\x80");
	ck_assert_str_eq(str_trim(unit_mem, "\x80\xA0"), "\x80\xA0");
}
END_TEST

START_TEST(integers_are_whole_and_in_range)
{
	static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "1.0", "0x10", "1e3",
		"9223372036854775808",
		"-9223372036854775809", "99999999999999999999", "\xD9\xA1" };
	int64_t n = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!str_to_int(bad[i], INT64_MIN, INT64_MAX, &n), "%s", bad[i]);
	ck_assert_int_eq(n, 7);
	ck_assert(str_to_int("9223372036854775807", INT64_MIN, INT64_MAX, &n) && n == INT64_MAX);
	ck_assert(str_to_int("-9223372036854775808", INT64_MIN, INT64_MAX, &n) && n == INT64_MIN);
	ck_assert(str_to_int("-0", 0, 0, &n) && n == 0);
	ck_assert(str_to_int("007", 0, 10, &n) && n == 7);
	ck_assert(!str_to_int("11", 0, 10, &n));
	ck_assert(!str_to_int("-1", 0, 10, &n));
}
END_TEST

static char *decoded(const char *s, bool plus)
{
	return str_url_decode(unit_mem, s, strlen(s), plus);
}

START_TEST(urls_are_decoded_strictly)
{
	ck_assert_str_eq(decoded("a%20b+c", false), "a b+c");
	ck_assert_str_eq(decoded("a%20b+c", true), "a b c");
	ck_assert_str_eq(decoded("%c3%BC", true), "\xC3\xBC");
	ck_assert_str_eq(decoded("", true), "");
	ck_assert_str_eq(decoded("%2541", true), "%41");
	ck_assert_ptr_null(decoded("%", true));
	ck_assert_ptr_null(decoded("%4", true));
	ck_assert_ptr_null(decoded("%4g", true));
	ck_assert_ptr_null(decoded("a%00b", true));
	ck_assert_ptr_null(decoded("%ff", true));
	ck_assert_ptr_null(decoded("\xFF", true));
	ck_assert_ptr_null(str_url_decode(unit_mem, "a\0b", 3, true));
	/* What lies behind len is not looked at. */
	ck_assert_ptr_null(str_url_decode(unit_mem, "%41", 2, true));
}
END_TEST

START_TEST(base64url_there_and_back)
{
	unsigned char data[64];

	for (size_t len = 0; len < sizeof(data); len++) {
		unsigned char *back;
		size_t n;

		data[len] = (unsigned char)(len * 37 + 251);
		back = str_base64url_decode(unit_mem, str_base64url(unit_mem, data, len), &n);
		ck_assert_ptr_nonnull(back);
		ck_assert_uint_eq(n, len);
		ck_assert_int_eq(memcmp(back, data, len), 0);
	}
	ck_assert_str_eq(str_base64url(unit_mem, (const unsigned char *)"\xFB\xFF\xFE", 3), "-__-");
	ck_assert_str_eq(str_base64url(unit_mem, (const unsigned char *)"f", 1), "Zg");
	ck_assert_str_eq(str_hex(unit_mem, (const unsigned char *)"\x00\xAB", 2), "00ab");
}
END_TEST

/* RFC 4648 section 10, and both characters that base64url writes otherwise. */
START_TEST(base64_there_and_back)
{
	static const struct {
		const char *plain, *text;
	} cases[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" }, { "\xFB\xFF\xFE", "+//+" } };
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg===", "====", "Zh==", "Zm9=",
		"Zm9v ", "Zm9v\n", "-__-", "Zg==Zg==" };
	size_t n;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *plain = cases[i].plain;

		ck_assert_str_eq(str_base64(unit_mem, (const unsigned char *)plain, strlen(plain)),
			cases[i].text);
		ck_assert_str_eq((char *)str_base64_decode(unit_mem, cases[i].text, &n), plain);
		ck_assert_uint_eq(n, strlen(plain));
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!str_base64_decode(unit_mem, bad[i], &n), "%s", bad[i]);
}
END_TEST

START_TEST(base64url_has_one_text_for_one_value)
{
	static const char *const bad[] = { "A", "AAAAA", "Zg==", "Z+8", "Z/8", "Zh", "Zg\n", " Zg",
		"\xC3\xBC" };
	size_t n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!str_base64url_decode(unit_mem, bad[i], &n), "%s", bad[i]);
}
END_TEST

UNIT_MAIN("base_str", equality_knows_null, beginnings_and_ends, utf8_is_judged_by_the_standard,
	length_counts_code_points,
	trimming_knows_every_blank, integers_are_whole_and_in_range, urls_are_decoded_strictly,
	base64url_there_and_back, base64url_has_one_text_for_one_value, base64_there_and_back)
