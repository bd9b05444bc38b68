/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/vault.c"

#include "tests/unit.h"

static const char secret[] = "0123456789abcdef0123456789abcdef";

static void refused(const char *with, const char *label, const char *sealed)
{
	struct err e = {0};
	char *got = NULL;

	assert_int_equal(vault_open(&got, NULL, with, label, sealed, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_null(got);
}

static void what_is_sealed_opens_again(void **state)
{
	const char *texts[] = {"", "x", "a secret of some length, with \xc3\xa4"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(freep) char *sealed = vault_seal(secret, "totp 7", texts[i], strlen(texts[i]));
		CLEANUP(freep) char *got = NULL;
		struct err e;
		size_t n;

		assert_null(strstr(sealed, "secret"));
		assert_int_equal(vault_open(&got, &n, secret, "totp 7", sealed, &e), 0);
		assert_int_equal(n, strlen(texts[i]));
		assert_string_equal(got, texts[i]);
	}
}

static void the_same_secret_is_never_sealed_alike(void **state)
{
	CLEANUP(freep) char *one = vault_seal(secret, "totp 7", "seed", 4);
	CLEANUP(freep) char *two = vault_seal(secret, "totp 7", "seed", 4);

	(void)state;
	assert_string_not_equal(one, two);
	assert_int_equal(strlen(one), strlen(two));
}

static void another_label_secret_or_form_is_refused(void **state)
{
	CLEANUP(freep) char *sealed = vault_seal(secret, "totp 7", "seed", 4);

	(void)state;
	refused(secret, "totp 8", sealed);
	refused("0123456789abcdef0123456789abcdeg", "totp 7", sealed);
	refused(secret, "totp 7", "");
	refused(secret, "totp 7", NULL);
	refused(secret, "totp 7", "v1.");
	refused(secret, "totp 7", "v1.AAAA");
	refused(secret, "totp 7", "v1.!!!!");
	refused(secret, "totp 7", sealed + 1);
}

static void one_changed_character_anywhere_is_noticed(void **state)
{
	CLEANUP(freep) char *sealed = vault_seal(secret, "totp 7", "seedling", 8);
	struct err e;

	(void)state;
	for (size_t i = 0; sealed[i]; i++) {
		char was = sealed[i];

		sealed[i] = was == 'B' ? 'C' : 'B';
		refused(secret, "totp 7", sealed);
		sealed[i] = '\0';
		refused(secret, "totp 7", sealed);
		sealed[i] = was;
	}
	{
		CLEANUP(freep) char *got = NULL;

		assert_int_equal(vault_open(&got, NULL, secret, "totp 7", sealed, &e), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_opens_again),
		cmocka_unit_test(the_same_secret_is_never_sealed_alike),
		cmocka_unit_test(another_label_secret_or_form_is_refused),
		cmocka_unit_test(one_changed_character_anywhere_is_noticed),
	};
	struct err e;

	if (crypt_init(&e))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
