/* The judge of raw FastCGI streams: what is whole and within its limits passes in pieces of any size, nothing else does. */
#include "unit.h"

#include <string.h>

#include "base/mem.h"
#include "fcgi_client.h"
#include "http/stream.h"

#define BODY_MAX 1000

static struct buf stream, pairs;

static void fresh(void)
{
	buf_init(&stream, unit_mem);
	buf_init(&pairs, unit_mem);
}

static struct stream_check judge_in(size_t piece)
{
	struct stream_check c;

	stream_check_init(&c, BODY_MAX);
	for (size_t at = 0; at < stream.len && c.state < STREAM_DONE;) {
		size_t n = stream.len - at < piece ? stream.len - at : piece;
		size_t taken = stream_check_feed(&c, (const unsigned char *)stream.data + at, n);

		ck_assert(taken == n || c.state >= STREAM_DONE);
		at += taken;
	}
	return c;
}

/* The same verdict, however the bytes come in. */
static struct stream_check judge(void)
{
	struct stream_check whole = judge_in(stream.len + 1);

	for (size_t piece = 1; piece < 20; piece++) {
		struct stream_check c = judge_in(piece);

		ck_assert_int_eq(c.state, whole.state);
		ck_assert_ptr_eq(c.why, whole.why);
		ck_assert_uint_eq(c.body_len, whole.body_len);
	}
	return whole;
}

static void expect_bad(enum err err, const char *why)
{
	struct stream_check c = judge();

	ck_assert_int_eq(c.state, STREAM_BAD);
	ck_assert_str_eq(c.why, why);
	ck_assert_int_eq(c.err, err);
}

START_TEST(whole_requests_pass)
{
	fresh();
	fcgi_request(&stream, "POST", "/x", "hello");
	ck_assert_int_eq(judge().state, STREAM_DONE);
	ck_assert_uint_eq(judge().body_len, 5);
	ck_assert_uint_eq(judge().request_id, 1);

	fresh();
	fcgi_pair(&pairs, "NAME", 4, "value", 5, true);
	fcgi_pair(&pairs, "EMPTY", 5, "", 0, false);
	fcgi_stream(&stream, &pairs, "", 0);
	ck_assert_int_eq(judge().state, STREAM_DONE);
}
END_TEST

START_TEST(padding_is_no_content)
{
	fresh();
	fcgi_begin(&stream);
	buf_add(&stream, "\1\4\0\1\0\4\2\0"
			 "\1\1AB"
			 "==",
		14);
	buf_add(&stream, "\1\4\0\1\0\0\0\0", 8);
	buf_add(&stream, "\1\5\0\1\0\0\5\0", 8);
	ck_assert_int_eq(judge().state, STREAM_DONE);
	/* Where libfcgi would take it for a record. */
	fresh();
	fcgi_begin(&stream);
	buf_add(&stream, "\1\4\0\1\0\0\1\0"
			 "x",
		9);
	expect_bad(ERR_MALFORMED, "padding behind the end of the parameters");
	fresh();
	buf_add(&stream, "\1\1\0\1\0\10\3\0"
			 "\0\1\0\0\0\0\0\0"
			 "xyz",
		19);
	expect_bad(ERR_MALFORMED, "request begins with a record of the wrong size");
}
END_TEST

START_TEST(pairs_may_cross_records)
{
	fresh();
	fcgi_param(&pairs, "REQUEST_METHOD", "GET");
	fcgi_begin(&stream);
	for (size_t i = 0; i < pairs.len; i++)
		fcgi_record(&stream, FCGI_PARAMS, 1, pairs.data + i, 1);
	fcgi_record(&stream, FCGI_PARAMS, 1, "", 0);
	ck_assert_int_eq(judge().state, STREAM_STDIN);
	fcgi_record(&stream, FCGI_STDIN, 1, "", 0);
	ck_assert_int_eq(judge().state, STREAM_DONE);
}
END_TEST

START_TEST(what_is_cut_is_not_done)
{
	size_t len;

	fresh();
	fcgi_request(&stream, "POST", "/x", "hello");
	len = stream.len;
	for (stream.len = 0; stream.len < len; stream.len++)
		ck_assert_int_lt(judge_in(7).state, STREAM_DONE);
}
END_TEST

START_TEST(other_records_are_refused)
{
	fresh();
	buf_add(&stream, "\2\1\0\1\0\10\0\0", 8);
	expect_bad(ERR_MALFORMED, "unknown protocol version");

	fresh();
	fcgi_record(&stream, FCGI_GET_VALUES, 0, "\016\0FCGI_MAX_CONNS", 16);
	expect_bad(ERR_MALFORMED, "stream does not begin with a request");

	fresh();
	fcgi_record(&stream, FCGI_BEGIN, 0, "\0\1\0\0\0\0\0\0", 8);
	expect_bad(ERR_MALFORMED, "stream does not begin with a request");

	fresh();
	fcgi_record(&stream, FCGI_BEGIN, 1, "\0\2\0\0\0\0\0\0", 8);
	expect_bad(ERR_MALFORMED, "role is not responder");

	fresh();
	fcgi_record(&stream, FCGI_BEGIN, 1, "\0\1", 2);
	expect_bad(ERR_MALFORMED, "request begins with a record of the wrong size");

	fresh();
	fcgi_begin(&stream);
	fcgi_record(&stream, FCGI_PARAMS, 2, "", 0);
	expect_bad(ERR_MALFORMED, "record of another request");

	fresh();
	fcgi_begin(&stream);
	fcgi_begin(&stream);
	expect_bad(ERR_MALFORMED, "record of an unexpected type");
}
END_TEST

START_TEST(management_within_the_body_is_refused)
{
	fresh();
	fcgi_begin(&stream);
	fcgi_record(&stream, FCGI_PARAMS, 1, "", 0);
	fcgi_record(&stream, FCGI_STDIN, 1, "abc", 3);
	fcgi_record(&stream, FCGI_GET_VALUES, 0, "\016\0FCGI_MAX_CONNS", 16);
	expect_bad(ERR_MALFORMED, "record of another request");
}
END_TEST

START_TEST(an_abort_is_seen)
{
	fresh();
	fcgi_begin(&stream);
	fcgi_record(&stream, FCGI_ABORT, 1, "", 0);
	ck_assert_int_eq(judge().state, STREAM_ABORTED);
}
END_TEST

static void expect_bad_pair(const char *name, size_t name_len, const char *value, size_t value_len, const char *why)
{
	fresh();
	fcgi_pair(&pairs, name, name_len, value, value_len, false);
	fcgi_stream(&stream, &pairs, "", 0);
	expect_bad(ERR_MALFORMED, why);
}

START_TEST(odd_pairs_are_refused)
{
	expect_bad_pair("A=B", 3, "c", 1, "'=' in the name of a parameter");
	expect_bad_pair("A\0B", 3, "c", 1, "NUL in a parameter");
	expect_bad_pair("A", 1, "b\0c", 3, "NUL in a parameter");
	expect_bad_pair("", 0, "c", 1, "parameter without a name");
	expect_bad_pair("", 0, "", 0, "parameter without a name");

	fresh();
	fcgi_pair(&pairs, "NAME", 4, "value", 5, false);
	pairs.len--;
	fcgi_stream(&stream, &pairs, "", 0);
	expect_bad(ERR_MALFORMED, "parameters end within one");
}
END_TEST

START_TEST(limits_hold)
{
	char *big = mem_array(unit_mem, char, STREAM_PARAMS_BYTES_MAX);

	memset(big, 'x', STREAM_PARAMS_BYTES_MAX);
	fresh();
	for (int i = 0; i < STREAM_PARAMS_MAX; i++)
		fcgi_param(&pairs, "A", "b");
	fcgi_stream(&stream, &pairs, "", 0);
	ck_assert_int_eq(judge_in(1000).state, STREAM_DONE);

	fresh();
	for (int i = 0; i <= STREAM_PARAMS_MAX; i++)
		fcgi_param(&pairs, "A", "b");
	fcgi_stream(&stream, &pairs, "", 0);
	expect_bad(ERR_TOO_LARGE, "too many parameters");

	fresh();
	fcgi_pair(&pairs, "A", 1, big, STREAM_PARAMS_BYTES_MAX - 1, true);
	fcgi_stream(&stream, &pairs, "", 0);
	ck_assert_int_eq(judge_in(1000).state, STREAM_DONE);

	fresh();
	fcgi_pair(&pairs, "A", 1, big, STREAM_PARAMS_BYTES_MAX, true);
	fcgi_stream(&stream, &pairs, "", 0);
	expect_bad(ERR_TOO_LARGE, "parameters too large");

	/* Lengths that would wrap around a 32-bit sum. */
	fresh();
	buf_add(&pairs, "\xff\xff\xff\xf0\xff\xff\xff\xf0"
			"AAA",
		11);
	fcgi_stream(&stream, &pairs, "", 0);
	expect_bad(ERR_TOO_LARGE, "parameters too large");
}
END_TEST

START_TEST(bodies_have_their_limit)
{
	char *big = mem_array(unit_mem, char, BODY_MAX + 1);

	fresh();
	fcgi_stream(&stream, &pairs, big, BODY_MAX);
	ck_assert_int_eq(judge().state, STREAM_DONE);
	fresh();
	fcgi_stream(&stream, &pairs, big, BODY_MAX + 1);
	expect_bad(ERR_TOO_LARGE, "body too large");
}
END_TEST

START_TEST(framing_alone_does_not_go_on_for_ever)
{
	fresh();
	fcgi_begin(&stream);
	/* One byte of content and 255 of padding each. */
	for (int i = 0; i < 1100; i++) {
		buf_add(&stream, "\1\4\0\1\0\1\xff\0"
				 "\1",
			9);
		for (int j = 0; j < 255; j++)
			buf_putc(&stream, 0);
	}
	ck_assert_int_eq(judge_in(100000).state, STREAM_BAD);
}
END_TEST

UNIT_MAIN("http_stream", whole_requests_pass, padding_is_no_content, pairs_may_cross_records, what_is_cut_is_not_done,
	other_records_are_refused, management_within_the_body_is_refused, an_abort_is_seen, odd_pairs_are_refused, limits_hold,
	bodies_have_their_limit, framing_alone_does_not_go_on_for_ever)
