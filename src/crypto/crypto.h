#ifndef STINT_CRYPTO_CRYPTO_H
#define STINT_CRYPTO_CRYPTO_H
/* The only user of libsodium. */
#include <stdbool.h>
#include <stddef.h>

#define TOKEN_BYTES 32
#define HASH_BYTES 32
void crypto_init(void); /* once, before anything else; aborts when libsodium cannot start */
/* 32 random bytes as 43 characters base64url, with prefix ("stint_"). */
char *token_new(void *mem, const char *prefix);
/* BLAKE2b-256 of a token, as PostgreSQL bytea text (\x…): what is stored and looked up. */
char *token_hash(void *mem, const char *token);
/* Keyed BLAKE2b-256 of the parts (length-prefixed), base64url. key is the configured secret,
 * purpose separates uses. */
char *mac(void *mem, const char *key, const char *purpose, const char *message);
bool text_equal(const char *a, const char *b); /* constant time for equal lengths */
bool bytes_equal(const void *a, const void *b, size_t len); /* constant time */
/* HMAC-SHA-256 (RFC 2104) of a key of any length, for signatures whose form others have set:
 * webhooks are signed "v1," + str_base64 of this over "id.timestamp.body". */
void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
	unsigned char out[HASH_BYTES]);

/* Text that is kept but not readable where it is kept: XChaCha20-Poly1305 under a key made of the configured secret and the
 * purpose, base64url. unseal: NULL unless it was sealed with the same key and purpose. */
char *seal(void *mem, const char *key, const char *purpose, const char *text);
char *unseal(void *mem, const char *key, const char *purpose, const char *sealed);

/* Argon2id, 64 MiB, t=2, as a PHC string. Takes about 100 ms. */
char *password_hash(void *mem, const char *password);
/* hash NULL: does the same work against a fixed hash and says no, so that time does not tell
 * whether an account exists. */
bool password_verify(const char *hash, const char *password);
bool password_needs_rehash(const char *hash);
#endif
