#ifndef STINT_CRYPTO_WEBHOOK_SECRET_H
#define STINT_CRYPTO_WEBHOOK_SECRET_H
/* Secrets of webhooks and what is signed with them, in the forms of Standard Webhooks. All text below mem. */
#include <stddef.h>
#include <stdint.h>

/* "whsec_" and 32 random bytes as base64. */
char *webhook_secret_new(void *mem);
/* As it is kept: bound to the endpoint, so that a row's secret opens for no other. key is the configured secret. */
char *webhook_secret_seal(void *mem, const char *key, const char *webhook_id, const char *secret);
/* NULL unless it was sealed for this endpoint with this key. */
char *webhook_secret_open(void *mem, const char *key, const char *webhook_id, const char *sealed);
/* "v1," and base64 of HMAC-SHA-256 over "id.timestamp.body". NULL when the secret is none. */
char *webhook_sign(void *mem, const char *secret, const char *id, int64_t timestamp_s, const char *body, size_t len);

#endif
