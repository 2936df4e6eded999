/*
 * Passwords, tokens and seals, and the only door to libsodium.
 *
 * Tokens are 256 random bits, so an unkeyed hash is enough to store them: nobody can search that
 * space, and the database can look one up by an index. Passwords are guessable and get Argon2id.
 * Both texts leave here in the very form PostgreSQL takes as a parameter.
 *
 * It must not keep or log a secret. Out of memory inside Argon2 ends the process as everywhere
 * else: "wrong password" would be a lie told to somebody who typed it right.
 */
#include "crypto/crypto.h"

#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	ARGON_PASSES = 2,
	ARGON_BYTES = 64 * 1024 * 1024,
};

/* Of a random password that was thrown away, with the cost of real ones. */
static const char NOBODYS_HASH[] = "$argon2id$v=19$m=65536,t=2,p=1$whU2pvA3rsbgWyw/"
				   "NDSR5g$Vq5K8yLzRaS8xpXotQKo7c3rmpJupfcXveU6jPSrWJo";

static void crypto_die(const char *why)
{
	log_error("crypto failed", "why", why, NULL);
	abort();
}

void crypto_init(void)
{
	if (sodium_init() < 0)
		crypto_die("libsodium did not start");
}

static char *base64url(void *mem, const unsigned char *data, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text = mem_zalloc(mem, size, "base64url");

	return sodium_bin2base64(text, size, data, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

char *token_new(void *mem, const char *prefix)
{
	unsigned char raw[TOKEN_BYTES];
	char *body, *token;

	randombytes_buf(raw, sizeof(raw));
	body = base64url(mem, raw, sizeof(raw));
	token = mem_printf(mem, "%s%s", prefix, body);
	sodium_memzero(raw, sizeof(raw));
	sodium_memzero(body, strlen(body));
	mem_free(body);
	return token;
}

char *token_hash(void *mem, const char *token)
{
	unsigned char hash[HASH_BYTES];
	char *text = mem_zalloc(mem, 2 + 2 * HASH_BYTES + 1, "token hash");

	crypto_generichash(
		hash, sizeof(hash), (const unsigned char *)token, strlen(token), NULL, 0);
	text[0] = '\\';
	text[1] = 'x';
	sodium_bin2hex(text + 2, 2 * HASH_BYTES + 1, hash, sizeof(hash));
	return text;
}

/* The length first, so that ("ab", "c") and ("a", "bc") differ. */
static void mac_part(crypto_generichash_state *state, const char *part)
{
	uint64_t len = strlen(part);
	unsigned char bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(len >> (8 * i));
	crypto_generichash_update(state, bytes, sizeof(bytes));
	crypto_generichash_update(state, (const unsigned char *)part, len);
}

char *mac(void *mem, const char *key, const char *purpose, const char *message)
{
	crypto_generichash_state state;
	unsigned char secret[crypto_generichash_KEYBYTES], out[HASH_BYTES];

	/* The configured secret is text of any length; BLAKE2b takes keys of at most 64 bytes. */
	crypto_generichash(
		secret, sizeof(secret), (const unsigned char *)key, strlen(key), NULL, 0);
	crypto_generichash_init(&state, secret, sizeof(secret), sizeof(out));
	mac_part(&state, purpose);
	mac_part(&state, message);
	crypto_generichash_final(&state, out, sizeof(out));
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(&state, sizeof(state));
	return base64url(mem, out, sizeof(out));
}

bool text_equal(const char *a, const char *b)
{
	size_t len = strlen(a);

	return len == strlen(b) && sodium_memcmp(a, b, len) == 0;
}

bool bytes_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
	unsigned char out[HASH_BYTES])
{
	crypto_auth_hmacsha256_state state;

	_Static_assert(HASH_BYTES == crypto_auth_hmacsha256_BYTES, "SHA-256 has 32 bytes");
	crypto_auth_hmacsha256_init(&state, key, key_len);
	crypto_auth_hmacsha256_update(&state, data, len);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}

enum { NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES };

static void seal_key(unsigned char out[crypto_aead_xchacha20poly1305_ietf_KEYBYTES], const char *key, const char *purpose)
{
	crypto_generichash_state state;
	/* A generic hash takes at most 64 bytes as its key: the secret is a part of the text, with its length. */
	crypto_generichash_init(&state, NULL, 0, crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
	mac_part(&state, "seal");
	mac_part(&state, key);
	mac_part(&state, purpose);
	crypto_generichash_final(&state, out, crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
}

char *seal(void *mem, const char *key, const char *purpose, const char *text)
{
	unsigned char secret[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
	size_t len = strlen(text);
	unsigned char *box = mem_zalloc(mem, NONCE + len + TAG, "sealed");
	unsigned long long sealed_len = 0;
	char *out;

	seal_key(secret, key, purpose);
	randombytes_buf(box, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		box + NONCE, &sealed_len, (const unsigned char *)text, len, NULL, 0, NULL, box, secret);
	sodium_memzero(secret, sizeof(secret));
	out = base64url(mem, box, NONCE + (size_t)sealed_len);
	mem_free(box);
	return out;
}

char *unseal(void *mem, const char *key, const char *purpose, const char *sealed)
{
	unsigned char secret[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
	size_t len = 0;
	unsigned char *box = str_base64url_decode(mem, sealed, &len);
	unsigned long long text_len = 0;
	char *text;
	int bad;

	if (!box || len < NONCE + TAG)
		return NULL;
	text = mem_zalloc(mem, len - NONCE - TAG + 1, "unsealed");
	seal_key(secret, key, purpose);
	bad = crypto_aead_xchacha20poly1305_ietf_decrypt(
		(unsigned char *)text, &text_len, NULL, box + NONCE, len - NONCE, NULL, 0, box, secret);
	sodium_memzero(secret, sizeof(secret));
	mem_free(box);
	if (bad) {
		mem_free(text);
		return NULL;
	}
	return text;
}

char *password_hash(void *mem, const char *password)
{
	char *hash = mem_zalloc(mem, crypto_pwhash_STRBYTES, "password hash");

	if (crypto_pwhash_str_alg(hash, password, strlen(password), ARGON_PASSES, ARGON_BYTES,
		    crypto_pwhash_ALG_ARGON2ID13))
		crypto_die("no memory for Argon2id");
	return hash;
}

bool password_verify(const char *hash, const char *password)
{
	bool same;

	errno = 0;
	same = crypto_pwhash_str_verify(hash ? hash : NOBODYS_HASH, password, strlen(password)) ==
		0;
	if (!same && errno == ENOMEM)
		crypto_die("no memory for Argon2id");
	return same && hash;
}

bool password_needs_rehash(const char *hash)
{
	return crypto_pwhash_str_needs_rehash(hash, ARGON_PASSES, ARGON_BYTES) != 0;
}
