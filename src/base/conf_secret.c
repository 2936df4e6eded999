/*
 * What a secret must not be. A start with the key of an example or of a manual is the classic way to lose
 * everything while every check is green, so such values are refused outright, in development too.
 */
#include "base/conf_private.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

#define DISTINCT_MIN 8 /* different characters; random text of 32 has many more */

/* None of these occurs by chance in a random key. */
static const char *const samples[] = {
	"change-me",
	"change_me",
	"changeme",
	"change me",
	"change-this",
	"changethis",
	"replace",
	"example",
	"sample",
	"default",
	"insecure",
	"password",
	"passwort",
	"not-secret",
	"notsecret",
	"your-secret",
	"yoursecret",
	"your_secret",
	"supersecret",
	"super-secret",
	"topsecret",
	"secret-key",
	"secret_key",
	"secretkey",
	"placeholder",
	"lorem ipsum",
	"correct horse",
	"stint-demo",
	"0123456789",
	"1234567890",
	"abcdefgh",
	"qwertyui",
	"deadbeef",
	NULL,
};

static size_t distinct(const char *s)
{
	bool seen[UINT8_MAX + 1] = { false };
	size_t n = 0;

	for (; *s; s++) {
		bool *mark = &seen[(unsigned char)*s];

		n += !*mark;
		*mark = true;
	}
	return n;
}

const char *conf_secret_fault(void *mem, const char *value, size_t least)
{
	size_t length = str_length(value);

	for (int i = 0; samples[i]; i++)
		if (strcasestr(value, samples[i]))
			return mem_printf(mem, "contains \"%s\", so it is a sample value and no secret", samples[i]);
	if (length < least)
		return mem_printf(mem, "has %zu characters, which is too short", length);
	if (distinct(value) < DISTINCT_MIN)
		return "repeats the same few characters";
	return NULL;
}
