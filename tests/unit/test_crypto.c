/* Tokens, seals and passwords: their forms, and what must differ from what. */
#include "unit.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"

static bool is_base64url(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
		strlen(s);
}

START_TEST(tokens_are_long_and_never_the_same)
{
	enum { MANY = 1000 };
	const char *seen[MANY];

	crypto_init();
	for (int i = 0; i < MANY; i++) {
		seen[i] = token_new(unit_mem, "stint_");
		ck_assert_uint_eq(strlen(seen[i]), 6 + 43);
		ck_assert_int_eq(strncmp(seen[i], "stint_", 6), 0);
		ck_assert(is_base64url(seen[i]));
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(seen[i], seen[k]);
	}
	ck_assert_uint_eq(strlen(token_new(unit_mem, "")), 43);
}
END_TEST

/* From an independent BLAKE2b: b2sum -l 256. */
START_TEST(token_hash_is_blake2b_as_bytea)
{
	crypto_init();
	ck_assert_str_eq(token_hash(unit_mem, "abc"),
		"\\xbddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
	ck_assert_str_eq(token_hash(unit_mem, ""),
		"\\x0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
	ck_assert_str_ne(token_hash(unit_mem, "abc"), token_hash(unit_mem, "abd"));
}
END_TEST

/* RFC 4231, cases 2, 6 (a key longer than a block) and 7; and a signature of the Standard Webhooks form made by openssl. */
START_TEST(hmac_sha256_is_that_of_the_rfc)
{
	unsigned char long_key[131], out[HASH_BYTES];
	const char *first = "Test Using Larger Than Block-Size Key - Hash Key First";
	const char *body = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
	unsigned char *secret;
	size_t len;

	crypto_init();
	memset(long_key, 0xaa, sizeof(long_key));
	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
	ck_assert_str_eq(str_hex(unit_mem, out, sizeof(out)),
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	hmac_sha256(long_key, sizeof(long_key), first, strlen(first), out);
	ck_assert_str_eq(str_hex(unit_mem, out, sizeof(out)),
		"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	secret = str_base64_decode(unit_mem, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &len);
	ck_assert_uint_eq(len, 24);
	hmac_sha256(secret, len, body, strlen(body), out);
	ck_assert_str_eq(str_base64(unit_mem, out, sizeof(out)), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	ck_assert(bytes_equal(out, out, sizeof(out)));
	ck_assert(!bytes_equal("ab", "ac", 2));
}
END_TEST

START_TEST(mac_depends_on_every_part)
{
	const char *key = "0123456789abcdef0123456789abcdef";
	const char *longer =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	const char *same;

	crypto_init();
	same = mac(unit_mem, key, "csrf", "session");
	ck_assert_uint_eq(strlen(same), 43);
	ck_assert(is_base64url(same));
	ck_assert_str_eq(same, mac(unit_mem, key, "csrf", "session"));
	ck_assert_str_ne(same, mac(unit_mem, key, "csrf", "sessioN"));
	ck_assert_str_ne(same, mac(unit_mem, key, "csr", "fsession"));
	ck_assert_str_ne(same, mac(unit_mem, key, "csrfs", "ession"));
	ck_assert_str_ne(same, mac(unit_mem, key, "session", "csrf"));
	ck_assert_str_ne(same, mac(unit_mem, longer, "csrf", "session"));
	ck_assert_uint_eq(strlen(mac(unit_mem, longer, "", "")), 43);
}
END_TEST

START_TEST(texts_are_compared_whole)
{
	crypto_init();
	ck_assert(text_equal("", ""));
	ck_assert(text_equal("abc", "abc"));
	ck_assert(!text_equal("abc", "abd"));
	ck_assert(!text_equal("abc", "ab"));
	ck_assert(!text_equal("", "a"));
}
END_TEST

START_TEST(passwords)
{
	const char *hash;

	crypto_init();
	hash = password_hash(unit_mem, "correct horse ☕");
	ck_assert_int_eq(strncmp(hash, "$argon2id$v=19$m=65536,t=2,p=1$", 31), 0);
	ck_assert_str_ne(hash, password_hash(unit_mem, "correct horse ☕"));
	ck_assert(password_verify(hash, "correct horse ☕"));
	ck_assert(!password_verify(hash, "correct horse"));
	ck_assert(!password_verify(hash, ""));
	ck_assert(!password_verify("", "correct horse"));
	ck_assert(!password_verify("$argon2id$nonsense", "correct horse"));
	ck_assert(!password_needs_rehash(hash));
	ck_assert(password_needs_rehash("$argon2id$v=19$m=4096,t=2,p=1$whU2pvA3rsbgWyw/"
					"NDSR5g$Vq5K8yLzRaS8xpXotQKo7c3rmpJupfcXveU6jPSrWJo"));
	ck_assert(password_needs_rehash("nonsense"));
}
END_TEST

static int64_t verify_us(const char *hash)
{
	int64_t started_us = clock_monotonic_us();

	ck_assert(!password_verify(hash, "wrong"));
	return clock_monotonic_us() - started_us;
}

/* The fixed hash must be a real one of the same cost, or time would tell which accounts exist. */
START_TEST(nobodys_password_takes_as_long)
{
	int64_t real_us = INT64_MAX, nobody_us = INT64_MAX;
	const char *hash;

	crypto_init();
	hash = password_hash(unit_mem, "right");
	/* The least of some: a busy machine adds to one or the other. */
	for (int i = 0; i < 20 && (real_us == INT64_MAX || nobody_us * 2 <= real_us || nobody_us >= real_us * 2); i++) {
		int64_t us = verify_us(hash);

		real_us = us < real_us ? us : real_us;
		us = verify_us(NULL);
		nobody_us = us < nobody_us ? us : nobody_us;
	}
	ck_assert_int_gt(nobody_us * 2, real_us);
	ck_assert_int_lt(nobody_us, real_us * 2);
}
END_TEST

START_TEST(what_is_sealed_is_read_by_the_same_key_and_purpose_alone)
{
	const char *key = "a secret of more than thirty-two bytes";
	char *sealed, *again;

	crypto_init();
	sealed = seal(unit_mem, key, "mail", "to: ada");
	again = seal(unit_mem, key, "mail", "to: ada");
	ck_assert_str_ne(sealed, again);
	ck_assert_ptr_null(strstr(sealed, "ada"));
	ck_assert_str_eq(unseal(unit_mem, key, "mail", sealed), "to: ada");
	ck_assert_str_eq(unseal(unit_mem, key, "mail", seal(unit_mem, key, "mail", "")), "");
	ck_assert_ptr_null(unseal(unit_mem, key, "webhook", sealed));
	ck_assert_ptr_null(unseal(unit_mem, "another secret of more than thirty-two", "mail", sealed));
	ck_assert_ptr_null(unseal(unit_mem, key, "mail", ""));
	ck_assert_ptr_null(unseal(unit_mem, key, "mail", "not base64!"));
	for (size_t i = 0; i < strlen(sealed); i += 7) {
		char *forged = mem_strdup(unit_mem, sealed);

		forged[i] = forged[i] == 'A' ? 'B' : 'A';
		ck_assert_ptr_null(unseal(unit_mem, key, "mail", forged));
	}
}
END_TEST

UNIT_MAIN("crypto", what_is_sealed_is_read_by_the_same_key_and_purpose_alone,
	hmac_sha256_is_that_of_the_rfc, tokens_are_long_and_never_the_same, token_hash_is_blake2b_as_bytea,
	mac_depends_on_every_part, texts_are_compared_whole, passwords,
	nobodys_password_takes_as_long)
