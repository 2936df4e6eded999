/*
 * UUIDs of version 7: 48 bits of milliseconds, 74 of chance. Within one millisecond, or when the clock steps
 * back, the chance part grows by a random step instead of being drawn anew, so ids of one
 * process always ascend and the next cannot be guessed. A fork draws anew, or two children would share what comes next.
 */
#include "base/uuid.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"

#define HIGH_MAX 0xFFFu /* rand_a, 12 bits */
#define LOW_MAX ((UINT64_C(1) << 62) - 1) /* rand_b, 62 bits */

static struct {
	pid_t pid;
	int64_t ms;
	uint32_t high;
	uint64_t low;
} last;

static uint64_t chance(void)
{
	uint64_t bits;
	ssize_t n;

	do {
		n = getrandom(&bits, sizeof(bits), 0);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(bits))
		abort(); /* ids that others can guess are worse than none */
	return bits;
}

static void draw(int64_t ms)
{
	last.pid = getpid();
	last.ms = ms;
	last.high = (uint32_t)chance() & (HIGH_MAX >> 1); /* half the room is left to grow into */
	last.low = chance() & LOW_MAX;
}

static void grow(void)
{
	last.low += 1 + (chance() & UINT32_MAX);
	if (last.low <= LOW_MAX)
		return;
	last.low &= LOW_MAX;
	if (++last.high > HIGH_MAX)
		draw(last.ms + 1);
}

static void put_hex(char *out, uint64_t value, int digits)
{
	static const char hex[] = "0123456789abcdef";

	for (int i = digits - 1; i >= 0; i--, value >>= 4)
		out[i] = hex[value & 15];
}

void uuid_v7(char out[UUID_TEXT])
{
	int64_t ms = clock_now_us() / 1000;

	if (last.pid != getpid() || ms > last.ms)
		draw(ms);
	else
		grow();
	put_hex(out, (uint64_t)last.ms >> 16, 8);
	out[8] = '-';
	put_hex(out + 9, (uint64_t)last.ms & 0xFFFF, 4);
	out[13] = '-';
	put_hex(out + 14, 0x7000 | last.high, 4);
	out[18] = '-';
	put_hex(out + 19, 0x8000 | last.low >> 48, 4);
	out[23] = '-';
	put_hex(out + 24, last.low & UINT64_C(0xFFFFFFFFFFFF), 12);
	out[36] = '\0';
}

bool uuid_normalize(const char *s, char out[UUID_TEXT])
{
	char text[UUID_TEXT];

	for (int i = 0; i < UUID_TEXT - 1; i++) {
		char c = s[i];

		if (c >= 'A' && c <= 'F')
			c = (char)(c + ('a' - 'A'));
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (c != '-')
				return false;
		} else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
			return false;
		}
		text[i] = c;
	}
	if (s[UUID_TEXT - 1])
		return false;
	text[UUID_TEXT - 1] = '\0';
	memcpy(out, text, UUID_TEXT);
	return true;
}

bool uuid_is_valid(const char *s)
{
	char text[UUID_TEXT];

	return uuid_normalize(s, text);
}
