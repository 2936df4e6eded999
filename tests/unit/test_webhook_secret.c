/* Secrets of webhooks and their signatures, against vectors that others computed. */
#include "unit.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "crypto/webhook_secret.h"

#define KEY "a secret of more than thirty-two bytes"

START_TEST(a_secret_has_its_form_and_is_never_the_same)
{
	char *one, *other;
	size_t len = 0;

	crypto_init();
	one = webhook_secret_new(unit_mem);
	other = webhook_secret_new(unit_mem);
	ck_assert(str_starts(one, "whsec_"));
	ck_assert_uint_eq(strlen(one), 6 + 44);
	ck_assert_ptr_nonnull(str_base64_decode(unit_mem, one + 6, &len));
	ck_assert_uint_eq(len, 32);
	ck_assert_str_ne(one, other);
}
END_TEST

START_TEST(a_sealed_secret_opens_for_its_endpoint_alone)
{
	char *secret, *sealed;

	crypto_init();
	secret = webhook_secret_new(unit_mem);
	sealed = webhook_secret_seal(unit_mem, KEY, "one", secret);
	ck_assert_ptr_null(strstr(sealed, secret + 6));
	ck_assert_str_eq(webhook_secret_open(unit_mem, KEY, "one", sealed), secret);
	ck_assert_ptr_null(webhook_secret_open(unit_mem, KEY, "other", sealed));
	ck_assert_ptr_null(webhook_secret_open(unit_mem, "another secret of more than thirty-two", "one", sealed));
	ck_assert_ptr_null(webhook_secret_open(unit_mem, KEY, "one", "never shown"));
}
END_TEST

/* The example of the Standard Webhooks specification's own libraries. */
START_TEST(a_signature_is_that_of_standard_webhooks)
{
	static const char body[] = "{\"test\": 2432232314}";

	crypto_init();
	ck_assert_str_eq(webhook_sign(unit_mem, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, strlen(body)),
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	ck_assert_ptr_null(webhook_sign(unit_mem, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "id", 1, body, strlen(body)));
	ck_assert_ptr_null(webhook_sign(unit_mem, "whsec_not base64", "id", 1, body, strlen(body)));
}
END_TEST

UNIT_MAIN("webhook_secret", a_secret_has_its_form_and_is_never_the_same,
	a_sealed_secret_opens_for_its_endpoint_alone, a_signature_is_that_of_standard_webhooks)
