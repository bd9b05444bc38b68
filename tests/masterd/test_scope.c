/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/scope.c"

#include "tests/unit.h"

static bool sees(const char *tags, const char *node)
{
	struct scope s = {.tags = ""};

	assert_int_equal(str_copy(s.tags, sizeof(s.tags), tags), 0);
	return scope_sees(&s, node);
}

static void without_tags_everything_is_seen(void **state)
{
	(void)state;
	assert_true(sees("", NULL));
	assert_true(sees("", "[]"));
	assert_true(sees("[]", "[\"shop\"]"));
	assert_true(scope_is_all(&(struct scope){.tags = ""}));
	assert_true(scope_is_all(&(struct scope){.tags = "[]"}));
	assert_false(scope_is_all(&(struct scope){.tags = "[\"shop\"]"}));
}

static void one_tag_in_common_is_enough(void **state)
{
	(void)state;
	assert_true(sees("[\"shop\"]", "[\"shop\"]"));
	assert_true(sees("[\"a\",\"b\"]", "[\"c\",\"b\"]"));
	assert_false(sees("[\"a\",\"b\"]", "[\"c\",\"d\"]"));
	assert_false(sees("[\"shop\"]", "[]"));
	assert_false(sees("[\"shop\"]", NULL));
}

static void tags_are_whole_words_in_their_case(void **state)
{
	(void)state;
	assert_false(sees("[\"shop\"]", "[\"shops\"]"));
	assert_false(sees("[\"shop\"]", "[\"Shop\"]"));
	assert_false(sees("[\"shop\"]", "\"shop\""));
	assert_true(sees("[\"a\\\"b\"]", "[\"a\\\"b\"]"));
}

static void what_cannot_be_read_lets_nothing_through(void **state)
{
	(void)state;
	assert_false(sees("[\"shop\"", "[\"shop\"]"));
	assert_false(sees("shop", "[\"shop\"]"));
	assert_false(sees("[\"shop\"]", "[\"shop\""));
	assert_false(sees("[1]", "[1]"));
	assert_false(sees("[null]", "[null]"));
}

static void a_machine_that_waits_without_tags_is_nobodys_yet(void **state)
{
	const struct scope admin = {.tags = "[\"shop\"]", .untagged = true}, viewer = {.tags = "[\"shop\"]"};

	(void)state;
	assert_true(scope_sees_waiting(&admin, "[]", true));
	assert_true(scope_sees_waiting(&admin, NULL, true));
	assert_false(scope_sees_waiting(&admin, "[]", false));
	assert_false(scope_sees_waiting(&viewer, "[]", true));
	assert_false(scope_sees_waiting(&admin, "[\"bank\"]", true));
	assert_true(scope_sees_waiting(&viewer, "[\"shop\"]", true));
}

static void nobody_moves_machines_in_or_out_of_what_others_have(void **state)
{
	const struct scope s = {.tags = "[\"shop\",\"blog\"]"};

	(void)state;
	assert_true(scope_may_retag(&s, "[\"shop\",\"prod\"]", "[\"blog\",\"prod\"]"));
	assert_false(scope_may_retag(&s, "[\"shop\",\"prod\"]", "[\"shop\"]"));
	assert_false(scope_may_retag(&s, "[\"shop\"]", "[\"shop\",\"bank\"]"));
	assert_false(scope_may_retag(&s, "[\"shop\"]", "[]"));
	assert_true(scope_may_retag(&(struct scope){.tags = ""}, "[\"shop\"]", "[\"bank\"]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_tags_everything_is_seen),
		cmocka_unit_test(one_tag_in_common_is_enough),
		cmocka_unit_test(tags_are_whole_words_in_their_case),
		cmocka_unit_test(a_machine_that_waits_without_tags_is_nobodys_yet),
		cmocka_unit_test(nobody_moves_machines_in_or_out_of_what_others_have),
		cmocka_unit_test(what_cannot_be_read_lets_nothing_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
