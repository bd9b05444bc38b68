/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/cmd.c"

#include <string.h>

#include "tests/unit.h"

/* The verbs of the program stand beside its main. */
const struct verb *cmd_verbs(void)
{
	static const struct verb none[] = {{0}};

	return none;
}

static void the_worse_of_two_exit_codes_is_the_one_that_says_more(void **state)
{
	static const int order[] = {0, 3, 4, 2, 5, 1};

	(void)state;
	for (size_t a = 0; a < ARRAY_LEN(order); a++)
		for (size_t b = 0; b < ARRAY_LEN(order); b++)
			assert_int_equal(cmd_worse(order[a], order[b]), order[a > b ? a : b]);
}

static void a_document_that_is_too_large_is_an_error_and_not_silence(void **state)
{
	char *text = xcalloc(1, (1 << 20) + 1);
	struct cmd_json j;

	(void)state;
	memset(text, 'x', 1 << 20);
	cmd_json_begin(&j);
	json_arr(&j.o, "list");
	for (int i = 0; i < 65; i++)
		json_put_str(&j.o, NULL, text);
	json_end_arr(&j.o);
	assert_int_not_equal(cmd_json_end(&j, "the list"), 0);
	free(text);
}

static void what_cannot_be_read_leaves_no_configuration(void **state)
{
	CLEANUP(cmd_done) struct cmd c = {.config_path = "/nowhere/config.json"};
	struct err e;

	(void)state;
	cmd_config_if_any(&c);
	assert_null(c.config);
	assert_int_equal(cmd_open(&c, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_null(c.catalogue);
}

static void wrong_words_end_with_the_code_of_wrong_usage(void **state)
{
	char verb[] = "status", word[] = "much", *argv[] = {verb, word, NULL};

	(void)state;
	assert_false(cmd_too_many(0, argv));
	assert_true(cmd_too_many(1, argv));
	assert_int_equal(cmd_misused(argv, "it takes %s", "nothing"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worse_of_two_exit_codes_is_the_one_that_says_more),
		cmocka_unit_test(a_document_that_is_too_large_is_an_error_and_not_silence),
		cmocka_unit_test(what_cannot_be_read_leaves_no_configuration),
		cmocka_unit_test(wrong_words_end_with_the_code_of_wrong_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
