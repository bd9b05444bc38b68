/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/hash.c"

#include <ctype.h>

#include "tests/unit.h"

static char hex[2 * SHA256_LEN + 1];

static void digests_are_those_of_the_standards(void **state)
{
	uint8_t out[SHA256_LEN];

	(void)state;
	/* FIPS 180-2 appendix B.1; the empty text; RFC 4231 test case 2 */
	sha256(out, "abc", 3);
	assert_string_equal(hex_encode(hex, out, sizeof(out)),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256(out, "", 0);
	assert_string_equal(hex_encode(hex, out, sizeof(out)),
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	hmac_sha256(out, "Jefe", 4, "what do ya want for nothing?", 28);
	assert_string_equal(hex_encode(hex, out, sizeof(out)),
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	hmac_sha256(out, NULL, 0, "", 0);
	assert_string_equal(hex_encode(hex, out, sizeof(out)),
			    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void a_stream_gives_the_same_and_starts_anew(void **state)
{
	uint8_t whole[SHA256_LEN], pieces[SHA256_LEN];
	struct sha256 *h = sha256_new();

	(void)state;
	sha256(whole, "abc", 3);
	for (int i = 0; i < 2; i++) {
		sha256_add(h, "a", 1);
		sha256_add(h, "", 0);
		sha256_add(h, "bc", 2);
		sha256_end(h, pieces);
		assert_true(hash_equal(whole, pieces, sizeof(whole)));
	}
	pieces[31] ^= 1;
	assert_false(hash_equal(whole, pieces, sizeof(whole)));
	sha256_free(h);
	sha256_free(NULL);
}

static void an_uuid_is_of_version_4_and_never_the_same(void **state)
{
	char a[UUID_TEXT], b[UUID_TEXT];

	(void)state;
	random_uuid(a);
	random_uuid(b);
	assert_int_equal(strlen(a), 36);
	assert_int_equal(a[14], '4');
	assert_non_null(strchr("89ab", a[19]));
	assert_string_not_equal(a, b);
	for (int i = 0; i < 36; i++)
		assert_true(i == 8 || i == 13 || i == 18 || i == 23 ? a[i] == '-' : isxdigit((unsigned char)a[i]));
}

static void hex_is_taken_whole_or_not_at_all(void **state)
{
	uint8_t b[2];

	(void)state;
	assert_int_equal(hex_decode(b, 2, "0aFf"), 0);
	assert_memory_equal(b, "\x0a\xff", 2);
	assert_int_equal(hex_decode(b, 2, "0aF"), -1);
	assert_int_equal(hex_decode(b, 2, "0aFf0"), -1);
	assert_int_equal(hex_decode(b, 2, "0aFg"), -1);
	assert_int_equal(hex_decode(b, 2, NULL), -1);
	assert_int_equal(hex_decode(b, 0, ""), 0);
}

static void base64_follows_rfc_4648(void **state)
{
	/* section 10 of the RFC */
	static const char *const is[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		CLEANUP(freep) char *text = base64_encode("foobar", i);
		CLEANUP(freep) uint8_t *back = NULL;
		size_t n = 99;

		assert_string_equal(text, is[i]);
		assert_int_equal(base64_decode(&back, &n, text), 0);
		assert_int_equal(n, i);
		assert_memory_equal(back, "foobar", i);
	}
}

static void the_url_form_has_other_letters_and_no_padding(void **state)
{
	CLEANUP(freep) char *text = base64url_encode("\xfb\xff\xfe\xff", 4);
	CLEANUP(freep) uint8_t *back = NULL;
	size_t n;

	(void)state;
	assert_string_equal(text, "-__-_w");
	assert_int_equal(base64url_decode(&back, &n, text, 6), 0);
	assert_int_equal(n, 4);
	assert_memory_equal(back, "\xfb\xff\xfe\xff", 4);
}

static void two_texts_never_stand_for_the_same_bytes(void **state)
{
	static const char *const bad[] = {"Zh==", "Zg=", "Zg", "Zg===", "Z===", "Zm9=", "Z g=", "Zg==\n", "-_8=", "=Zg="};
	uint8_t *back = NULL;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (base64_decode(&back, &n, bad[i]) != -1)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_int_equal(base64_decode(&back, &n, NULL), -1);
	assert_int_equal(base64url_decode(&back, &n, "Zg==", 4), -1);
	assert_int_equal(base64url_decode(&back, &n, "+/", 2), -1);
	assert_int_equal(base64url_decode(&back, &n, "Z\0Z", 3), -1);
	assert_null(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_the_standards),
		cmocka_unit_test(a_stream_gives_the_same_and_starts_anew),
		cmocka_unit_test(an_uuid_is_of_version_4_and_never_the_same),
		cmocka_unit_test(hex_is_taken_whole_or_not_at_all),
		cmocka_unit_test(base64_follows_rfc_4648),
		cmocka_unit_test(the_url_form_has_other_letters_and_no_padding),
		cmocka_unit_test(two_texts_never_stand_for_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
