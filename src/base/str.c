/*
 * Text. Inside, it is NUL-terminated valid UTF-8; these are the checks that make it so and the few
 * operations everything shares. Case is ASCII's: names are compared by people's rules in SQL.
 */
#include "base/str.h"

#include <string.h>

#include "base/mem.h"

bool str_eq(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	while (*a && ascii_lower(*a) == ascii_lower(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s);
	size_t tail = strlen(suffix);

	return len >= tail && memcmp(s + len - tail, suffix, tail) == 0;
}

static bool continues(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

/* Table 3-7 of the Unicode standard: only the second byte's range depends on the first. */
size_t str_utf8_one(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned char low = 0x80;
	unsigned char high = 0xBF;
	size_t n;

	if (!len || !u[0])
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xC2 || u[0] > 0xF4)
		return 0;
	n = u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3
					  : 4;
	if (u[0] == 0xE0)
		low = 0xA0; /* shortest form only */
	else if (u[0] == 0xED)
		high = 0x9F; /* no surrogates */
	else if (u[0] == 0xF0)
		low = 0x90;
	else if (u[0] == 0xF4)
		high = 0x8F; /* nothing above U+10FFFF */
	if (len < n || u[1] < low || u[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (!continues(u[i]))
			return 0;
	return n;
}

bool str_is_utf8(const char *s, size_t len)
{
	while (len) {
		size_t n = str_utf8_one(s, len);

		if (!n)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

size_t str_length(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		if (!continues((unsigned char)*s))
			n++;
	return n;
}

static uint32_t code_point(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;

	switch (n) {
	case 1:
		return u[0];
	case 2:
		return (u[0] & 0x1Fu) << 6 | (u[1] & 0x3Fu);
	case 3:
		return (u[0] & 0x0Fu) << 12 | (u[1] & 0x3Fu) << 6 | (u[2] & 0x3Fu);
	case 4:
		return (u[0] & 0x07u) << 18 | (u[1] & 0x3Fu) << 12 | (u[2] & 0x3Fu) << 6 |
			(u[3] & 0x3Fu);
	default:
		return 0;
	}
}

/* White_Space of Unicode, and what cannot be seen at an end: a name of zero-width spaces is no name. */
static bool blank(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
		(c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
		c == 0x205F || c == 0x2060 || c == 0x3000 || c == 0xFEFF;
}

/* Bytes of the blank that s begins with; 0 when it begins with something else. */
static size_t blank_at(const char *s, size_t len)
{
	size_t n = str_utf8_one(s, len);

	return n && blank(code_point(s, n)) ? n : 0;
}

char *str_trim(void *mem, const char *s)
{
	size_t len = strlen(s);
	size_t n;

	while ((n = blank_at(s, len)) > 0) {
		s += n;
		len -= n;
	}
	while (len) {
		size_t back = 1;

		while (back < 4 && back < len && continues((unsigned char)s[len - back]))
			back++;
		if (blank_at(s + len - back, back) != back)
			break;
		len -= back;
	}
	return mem_strndup(mem, s, len);
}

bool str_to_int(const char *s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = *s == '-';
	int64_t n = 0;

	s += negative;
	if (!*s)
		return false;
	for (; *s; s++) {
		int digit = *s - '0';

		if (digit < 0 || digit > 9)
			return false;
		if (__builtin_mul_overflow(n, 10, &n) ||
			__builtin_sub_overflow(n, digit, &n)) /* downwards: INT64_MIN has no positive twin */
			return false;
	}
	if (!negative && __builtin_sub_overflow(0, n, &n))
		return false;
	if (n < min || n > max)
		return false;
	*out = n;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *str_url_decode(void *mem, const char *s, size_t len, bool plus)
{
	char *out = mem_array(mem, char, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int high;
		int low;

		if (s[i] != '%') {
			out[n++] = plus && s[i] == '+' ? ' ' : s[i];
			continue;
		}
		high = i + 2 < len ? hex_digit(s[i + 1]) : -1;
		low = i + 2 < len ? hex_digit(s[i + 2]) : -1;
		if (high < 0 || low < 0)
			goto bad;
		out[n++] = (char)(high << 4 | low);
		i += 2;
	}
	if (str_is_utf8(out, n))
		return out;
bad:
	mem_free(out);
	return NULL;
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t base64_put(char *out, const char *alphabet, const unsigned char *data, size_t len)
{
	uint32_t bits = 0;
	int have = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | data[i];
		for (have += 8; have >= 6; have -= 6)
			out[n++] = alphabet[bits >> (have - 6) & 63];
	}
	if (have)
		out[n++] = alphabet[bits << (6 - have) & 63];
	return n;
}

char *str_base64url(void *mem, const unsigned char *data, size_t len)
{
	char *out = mem_array(mem, char, len / 3 * 4 + 5);

	base64_put(out, base64url, data, len);
	return out;
}

char *str_base64(void *mem, const unsigned char *data, size_t len)
{
	char *out = mem_array(mem, char, len / 3 * 4 + 5);
	size_t n = base64_put(out, base64, data, len);

	while (n % 4)
		out[n++] = '=';
	return out;
}

static int base64_value(const char *alphabet, char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/* One text for one value: no lone character, no bits left over that say something. */
static bool base64_take(unsigned char *out, const char *alphabet, const char *s, size_t in, size_t *len)
{
	uint32_t bits = 0;
	int have = 0;
	size_t n = 0;

	for (size_t i = 0; i < in; i++) {
		int value = base64_value(alphabet, s[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (unsigned char)(bits >> have);
		}
	}
	*len = n;
	return have < 6 && !(bits & ((1u << have) - 1));
}

static unsigned char *base64_decode(void *mem, const char *alphabet, const char *s, size_t in, size_t *len)
{
	unsigned char *out = mem_array(mem, unsigned char, in / 4 * 3 + 4);

	if (base64_take(out, alphabet, s, in, len))
		return out;
	mem_free(out);
	return NULL;
}

unsigned char *str_base64url_decode(void *mem, const char *s, size_t *len)
{
	return base64_decode(mem, base64url, s, strlen(s), len);
}

unsigned char *str_base64_decode(void *mem, const char *s, size_t *len)
{
	size_t in = strlen(s);

	if (in % 4)
		return NULL;
	for (int pads = 0; pads < 2 && in && s[in - 1] == '='; pads++)
		in--;
	return base64_decode(mem, base64, s, in, len);
}

char *str_hex(void *mem, const unsigned char *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *out = mem_array(mem, char, len * 2 + 1);

	for (size_t i = 0; i < len; i++) {
		out[i * 2] = digits[data[i] >> 4];
		out[i * 2 + 1] = digits[data[i] & 15];
	}
	return out;
}
