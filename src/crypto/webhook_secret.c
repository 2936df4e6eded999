/* See webhook_secret.h, and https://www.standardwebhooks.com for the forms. */
#include "crypto/webhook_secret.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"

#define PREFIX "whsec_"

char *webhook_secret_new(void *mem)
{
	size_t len = 0;
	/* A token is 32 random bytes in the other alphabet. */
	unsigned char *raw = str_base64url_decode(mem, token_new(mem, ""), &len);

	return mem_printf(mem, PREFIX "%s", str_base64(mem, raw, len));
}

static const char *purpose(void *mem, const char *webhook_id)
{
	return mem_printf(mem, "webhook:%s", webhook_id);
}

char *webhook_secret_seal(void *mem, const char *key, const char *webhook_id, const char *secret)
{
	return seal(mem, key, purpose(mem, webhook_id), secret);
}

char *webhook_secret_open(void *mem, const char *key, const char *webhook_id, const char *sealed)
{
	return unseal(mem, key, purpose(mem, webhook_id), sealed);
}

char *webhook_sign(void *mem, const char *secret, const char *id, int64_t timestamp_s, const char *body, size_t len)
{
	unsigned char out[HASH_BYTES], *key;
	size_t key_len = 0;
	struct buf signed_text;

	if (!str_starts(secret, PREFIX))
		return NULL;
	key = str_base64_decode(mem, secret + strlen(PREFIX), &key_len);
	if (!key)
		return NULL;
	buf_init(&signed_text, mem);
	buf_printf(&signed_text, "%s.%lld.", id, (long long)timestamp_s);
	buf_add(&signed_text, body, len);
	hmac_sha256(key, key_len, signed_text.data, signed_text.len, out);
	return mem_printf(mem, "v1,%s", str_base64(mem, out, sizeof out));
}
