/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/crypt.c"

#include "tests/unit.h"

static struct err e;

static void what_is_sealed_only_its_owner_opens(void **state)
{
	uint8_t pub[CRYPT_KEY], secret[CRYPT_KEY], other_pub[CRYPT_KEY], other[CRYPT_KEY];
	uint8_t box[5 + CRYPT_SEAL], out[5];

	(void)state;
	crypt_keypair(pub, secret);
	crypt_keypair(other_pub, other);
	assert_int_equal(crypt_seal(box, "hello", 5, pub, &e), 0);
	assert_int_equal(crypt_open(out, box, sizeof(box), pub, secret, &e), 0);
	assert_memory_equal(out, "hello", 5);
	assert_int_equal(crypt_open(out, box, sizeof(box), other_pub, other, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	for (size_t i = 0; i < sizeof(box); i++) {
		box[i] ^= 1;
		assert_int_equal(crypt_open(out, box, sizeof(box), pub, secret, &e), -1);
		box[i] ^= 1;
	}
	assert_int_equal(crypt_open(out, box, CRYPT_SEAL - 1, pub, secret, &e), -1);
}

static void a_public_key_of_small_order_is_refused(void **state)
{
	static const uint8_t zero[CRYPT_KEY];
	uint8_t box[5 + CRYPT_SEAL];

	(void)state;
	assert_int_equal(crypt_seal(box, "hello", 5, zero, &e), -1);
	assert_int_equal(e.kind, ERR_INVALID);
}

static void a_password_is_known_by_its_hash_alone(void **state)
{
	char a[CRYPT_PW_TEXT], b[CRYPT_PW_TEXT];

	(void)state;
	assert_int_equal(crypt_pw_hash(a, "correct horse", &e), 0);
	assert_int_equal(crypt_pw_hash(b, "correct horse", &e), 0);
	assert_int_equal(strncmp(a, "$argon2id$v=19$m=65536,t=2,p=1$", 31), 0);
	assert_string_not_equal(a, b);
	assert_true(crypt_pw_verify(a, "correct horse"));
	assert_false(crypt_pw_verify(a, "correct hors"));
	assert_false(crypt_pw_verify("", "correct horse"));
	assert_false(crypt_pw_verify("plain", "plain"));
}

static int start(void **state)
{
	(void)state;
	return crypt_init(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_only_its_owner_opens),
		cmocka_unit_test(a_public_key_of_small_order_is_refused),
		cmocka_unit_test(a_password_is_known_by_its_hash_alone),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
