/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/pool.c"

#include "tests/unit.h"

enum { MANY = 20000 };

static void strings_stay_where_they_are(void **state)
{
	static const char *kept[MANY];
	struct pool p = {0};

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		CLEANUP(freep) char *text = xasprintf("table_%zu", i);

		kept[i] = pool_add(&p, text);
	}
	for (size_t i = 0; i < MANY; i++) {
		CLEANUP(freep) char *text = xasprintf("table_%zu", i);

		assert_string_equal(kept[i], text);
	}
	pool_done(&p);
}

static void equal_strings_are_kept_once(void **state)
{
	static const char *kept[MANY];
	struct pool p = {0};

	(void)state;
	assert_false(pool_has(&p, "1"));
	for (size_t i = 0; i < MANY; i++) {
		CLEANUP(freep) char *text = xasprintf("%zu", i % (MANY / 2));

		kept[i] = pool_same(&p, text);
		assert_string_equal(kept[i], text);
	}
	for (size_t i = 0; i < MANY / 2; i++)
		assert_ptr_equal(kept[i], kept[i + MANY / 2]);
	assert_ptr_not_equal(pool_add(&p, "1"), kept[1]);
	pool_add(&p, "other");
	assert_true(pool_has(&p, "9999") && !pool_has(&p, "10000") && !pool_has(&p, "other"));
	pool_done(&p);
}

static void a_long_one_has_a_block_of_its_own(void **state)
{
	CLEANUP(freep) char *text = xmalloc(3 * BLOCK);
	struct pool p = {0};
	const char *first, *small, *large;

	(void)state;
	memset(text, 'x', 3 * BLOCK);
	text[3 * BLOCK - 1] = '\0';
	first = pool_add(&p, text);
	small = pool_add(&p, "small");
	large = pool_same(&p, text);
	assert_string_equal(first, text);
	assert_string_equal(small, "small");
	assert_string_equal(large, text);
	assert_ptr_equal(pool_same(&p, text), large);
	assert_string_equal(pool_add(&p, ""), "");
	pool_done(&p);
	assert_null(p.first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_stay_where_they_are),
		cmocka_unit_test(equal_strings_are_kept_once),
		cmocka_unit_test(a_long_one_has_a_block_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
