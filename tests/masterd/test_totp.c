/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/totp.c"

#include <stdlib.h>

#include "shared/str.h"
#include "tests/unit.h"

/* RFC 6238 appendix B: this seed in ASCII, the last six of its eight digits. */
static const uint8_t seed[TOTP_SEED] = {'1', '2', '3', '4', '5', '6', '7', '8', '9', '0',
					'1', '2', '3', '4', '5', '6', '7', '8', '9', '0'};
static const struct {
	int64_t seconds;
	const char *code;
} vectors[] = {
	{59, "287082"},          {1111111109, "081804"}, {1111111111, "050471"},
	{1234567890, "005924"},  {2000000000, "279037"}, {20000000000, "353130"},
};
/* RFC 4226 appendix D: the same seed, counters 0 to 9. */
static const char *const counters[] = {"755224", "287082", "359152", "969429", "338314",
				       "254676", "287922", "162583", "399871", "520489"};

static void the_codes_are_those_of_the_rfcs(void **state)
{
	char code[TOTP_DIGITS + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		code_of(code, seed, vectors[i].seconds / 30);
		assert_string_equal(code, vectors[i].code);
	}
	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		code_of(code, seed, (int64_t)i);
		assert_string_equal(code, counters[i]);
	}
}

static void one_step_before_and_after_is_tolerated(void **state)
{
	const int64_t step = 37037037, now = step * 30000 + 15000;
	char code[TOTP_DIGITS + 1];
	int64_t got;

	(void)state;
	for (int d = -3; d <= 3; d++) {
		bool fits;

		code_of(code, seed, step + d);
		got = 0;
		fits = totp_fits(seed, code, now, 0, &got);
		assert_int_equal(fits, d >= -1 && d <= 1);
		assert_int_equal(got, fits ? step + d : 0);
	}
}

static void each_code_counts_once_and_no_older_one_after_it(void **state)
{
	const int64_t step = 37037037, now = step * 30000;
	char before[TOTP_DIGITS + 1], code[TOTP_DIGITS + 1], after[TOTP_DIGITS + 1];
	int64_t got;

	(void)state;
	code_of(before, seed, step - 1);
	code_of(code, seed, step);
	code_of(after, seed, step + 1);
	assert_true(totp_fits(seed, code, now, step - 1, &got));
	assert_false(totp_fits(seed, code, now, step, &got));
	assert_false(totp_fits(seed, before, now, step, &got));
	assert_true(totp_fits(seed, after, now, step, &got));
}

static void only_six_digits_are_a_code(void **state)
{
	const char *const bad[] = {"", "28708", "2870822", "28708a", "-87082", "28708\n"};
	int64_t got;

	(void)state;
	assert_true(totp_fits(seed, "287082", 59000, 0, &got));
	assert_true(totp_fits(seed, "287 082", 59000, 0, &got));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(totp_fits(seed, bad[i], 59000, 0, &got));
}

static void a_seed_is_shown_in_base32(void **state)
{
	CLEANUP(freep) char *uri = NULL;
	char text[TOTP_TEXT];

	(void)state;
	assert_string_equal(totp_base32(text, seed), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	uri = totp_uri(text, "anna");
	assert_string_equal(uri, "otpauth://totp/Felloe:anna?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Felloe&"
				 "algorithm=SHA1&digits=6&period=30");
}

static const char secret[] = "0123456789abcdef0123456789abcdef";

static void a_recovery_code_is_known_by_its_letters_alone(void **state)
{
	uint8_t one[SHA256_LEN], two[SHA256_LEN];

	(void)state;
	assert_true(recovery_hash(one, secret, 7, "abcde-fghjk"));
	assert_true(recovery_hash(two, secret, 7, " ABCDEFGHJK "));
	assert_memory_equal(one, two, SHA256_LEN);
	assert_true(recovery_hash(two, secret, 8, "abcde-fghjk"));
	assert_memory_not_equal(one, two, SHA256_LEN);
	assert_true(recovery_hash(two, "another secret", 7, "abcde-fghjk"));
	assert_memory_not_equal(one, two, SHA256_LEN);
	assert_false(recovery_hash(two, secret, 7, "abcde-fghj"));
	assert_false(recovery_hash(two, secret, 7, "abcde-fghjkm"));
	assert_false(recovery_hash(two, secret, 7, "abcde-fghjl"));
	assert_false(recovery_hash(two, secret, 7, "123456"));
	assert_false(recovery_hash(two, secret, 7, ""));
}

static void fresh_recovery_codes_are_made_of_32_signs(void **state)
{
	bool seen[256] = {false};
	char text[RECOVERY_TEXT];
	uint8_t hash[SHA256_LEN];
	int kinds = 0;

	(void)state;
	assert_int_equal(strlen(letters), 32);
	for (int i = 0; i < 1000; i++) {
		assert_true(recovery_hash(hash, secret, 1, recovery_code(text)));
		assert_int_equal(strlen(text), 11);
		for (const char *p = text; *p; p++)
			seen[(unsigned char)*p] = true;
	}
	for (int i = 0; i < 256; i++)
		kinds += seen[i];
	assert_int_equal(kinds, 33);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_codes_are_those_of_the_rfcs),
		cmocka_unit_test(one_step_before_and_after_is_tolerated),
		cmocka_unit_test(each_code_counts_once_and_no_older_one_after_it),
		cmocka_unit_test(only_six_digits_are_a_code),
		cmocka_unit_test(a_seed_is_shown_in_base32),
		cmocka_unit_test(a_recovery_code_is_known_by_its_letters_alone),
		cmocka_unit_test(fresh_recovery_codes_are_made_of_32_signs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
