/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/dump.c"

#include "tests/unit.h"

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static void each_table_that_was_listed_must_have_been_read(void **state)
{
	struct object listed[] = {{.name = text("a")}, {.name = text("b"), .left_out = true}, {.name = text("c")}};
	struct dump_table read[] = {{.name = text("a")}, {.name = text("c")}, {.name = text("d")}};
	struct schema s = {.tables = {.v = listed, .n = 3}};
	struct dump_result r = {.tables = {.v = read, .n = 2}};
	struct err e;

	(void)state;
	assert_int_equal(all_tables(&s, &r, &e), 0);
	r.tables.n = 1;
	assert_int_equal(all_tables(&s, &r, &e), -1);
	assert_string_equal(e.msg, "table `c` was not read");
	r.tables.n = 3;
	assert_int_equal(all_tables(&s, &r, &e), -1);
	assert_string_equal(e.msg, "3 tables were read, 2 were listed");
	r.tables.n = 2;
	read[0].name = text("x");
	assert_int_equal(all_tables(&s, &r, &e), -1);
	assert_string_equal(e.msg, "table `a` was not read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_table_that_was_listed_must_have_been_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
