/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/table.c"

#include "tests/unit.h"

struct row {
	uint64_t id;
	const char *name;
	int load;
};

static uint64_t row_id(const void *rows, size_t i)
{
	return ((const struct row *)rows)[i].id;
}
static int row_compare(const void *rows, size_t a, size_t b, int sort)
{
	const struct row *r = rows;

	if (sort == 1 && r[a].load != r[b].load)
		return r[a].load < r[b].load ? -1 : 1;
	return strcmp(r[a].name, r[b].name);
}
static bool row_match(const void *rows, size_t i, const char *word)
{
	return strstr(((const struct row *)rows)[i].name, word);
}
static bool row_problem(const void *rows, size_t i)
{
	return ((const struct row *)rows)[i].load > 90;
}
static const struct table_ops ops = {row_id, row_compare, row_match, row_problem};

static const struct row five[] = {{1, "db", 95}, {2, "mail", 3}, {3, "shop", 91}, {4, "web-1", 9}, {5, "web-2", 14}};

static void the_cursor_stays_on_its_node_when_the_order_changes(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, &ops);
	table_fit(&t, 3);
	table_update(&t, five, 5);
	table_move(&t, 3);
	assert_int_equal(t.cursor, 4);
	table_sort(&t, 1);
	assert_int_equal(t.cursor, 4);
	assert_int_equal(t.at, 1);
	assert_int_equal(t.at - t.top, 1);
	table_sort(&t, 1);
	assert_true(t.reverse);
	assert_int_equal(t.cursor, 4);
	assert_int_equal(t.at, 3);
	table_done(&t);
}

static void a_row_that_is_gone_leaves_the_cursor_on_its_neighbour(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, &ops);
	table_fit(&t, 10);
	table_update(&t, five, 5);
	table_key(&t, 'G');
	assert_int_equal(t.cursor, 5);
	assert_false(table_update(&t, five, 5));
	assert_true(table_update(&t, five, 4));
	assert_int_equal(t.cursor, 4);
	assert_true(table_update(&t, five, 0));
	assert_int_equal(t.cursor, 0);
	assert_false(table_update(&t, five, 2));
	assert_int_equal(t.cursor, 1);
	table_done(&t);
}

static void every_word_of_the_filter_must_match(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, &ops);
	table_update(&t, five, 5);
	table_filter(&t, "WEB !-2");
	assert_int_equal(t.n, 1);
	assert_int_equal(t.cursor, 4);
	table_filter(&t, "web  2");
	assert_int_equal(t.n, 1);
	table_filter(&t, "nothing");
	assert_int_equal(t.n, 0);
	table_filter(&t, "");
	assert_int_equal(t.n, 5);
	table_done(&t);
}

static void marks_are_ids_and_survive_filter_and_sort(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, &ops);
	table_fit(&t, 5);
	table_update(&t, five, 5);
	table_key(&t, ' ');
	assert_int_equal(t.at, 1);
	table_filter(&t, "web");
	table_key(&t, '+');
	table_filter(&t, "");
	table_sort(&t, 1);
	assert_int_equal(t.n_marks, 3);
	assert_true(table_marked(&t, 1) && table_marked(&t, 4) && table_marked(&t, 5));
	table_key(&t, '*');
	assert_int_equal(t.n_marks, 2);
	assert_true(table_marked(&t, 2) && table_marked(&t, 3));
	table_key(&t, '-');
	assert_int_equal(t.n_marks, 0);
	table_done(&t);
}

static void brackets_walk_the_rows_with_a_problem(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, &ops);
	table_fit(&t, 5);
	table_update(&t, five, 5);
	assert_true(table_key(&t, ']'));
	assert_int_equal(t.cursor, 3);
	assert_true(table_key(&t, ']'));
	assert_int_equal(t.cursor, 1);
	assert_true(table_key(&t, '['));
	assert_int_equal(t.cursor, 3);
	table_filter(&t, "web");
	assert_false(table_key(&t, ']'));
	table_done(&t);
}

static void the_view_follows_the_cursor_by_page_and_end(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, &ops);
	table_fit(&t, 2);
	table_update(&t, five, 5);
	table_key(&t, K_END);
	assert_int_equal(t.top, 3);
	table_key(&t, K_HOME);
	assert_int_equal(t.top, 0);
	table_key(&t, K_PGDN);
	assert_int_equal(t.at, 1);
	table_fit(&t, 50);
	assert_int_equal(t.top, 0);
	table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cursor_stays_on_its_node_when_the_order_changes),
		cmocka_unit_test(a_row_that_is_gone_leaves_the_cursor_on_its_neighbour),
		cmocka_unit_test(every_word_of_the_filter_must_match),
		cmocka_unit_test(marks_are_ids_and_survive_filter_and_sort),
		cmocka_unit_test(brackets_walk_the_rows_with_a_problem),
		cmocka_unit_test(the_view_follows_the_cursor_by_page_and_end),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
