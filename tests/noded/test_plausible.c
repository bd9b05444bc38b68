/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/plausible.c"

#include "tests/unit.h"

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* Tables ended by a name that is NULL; the digest follows from rows and salt. */
struct row { const char *name; uint64_t rows, bytes; bool structure; uint8_t salt; };

static struct plausible_tables tables(const struct row *rows)
{
	struct plausible_tables t = {0};

	for (; rows->name; rows++) {
		struct plausible_table *to = list_push(&t);

		to->name = xstrdup(rows->name);
		to->rows = rows->rows;
		to->bytes = rows->bytes ? rows->bytes : rows->rows * 100;
		to->data = !rows->structure;
		to->digest[0] = rows->salt;
		to->digest[1] = (uint8_t)rows->rows;
	}
	return t;
}

static struct findings compare(const struct plausible_rules *r, const struct row *before, const struct row *now)
{
	CLEANUP(plausible_tables_done) struct plausible_tables b = {0};
	CLEANUP(plausible_tables_done) struct plausible_tables n = tables(now);
	struct findings f = {0};

	if (before)
		b = tables(before);
	plausible_tables(r, "shop", before ? &b : NULL, &n, &f);
	findings_sort(&f);
	return f;
}

static const struct plausible_rules usual = {.rows_drop_pct = 50, .size_drop_pct = 50, .size_jump_pct = 400};

#define NOW(...) ((const struct row[]){__VA_ARGS__, {0}})

static void says(struct findings f, size_t n, const char *worst)
{
	if (f.n != n)
		fail_msg("%zu findings, %zu wanted; worst: %s", f.n, n, f.n ? f.v[0].text : "-");
	if (n)
		assert_string_equal(f.v[0].text, worst);
	list_done(&f);
}

static void nothing_happened_is_no_finding(void **state)
{
	const struct row *was = NOW({"a", 1000, 0, false, 1}, {"b", 7, 0, false, 2});

	(void)state;
	says(compare(&usual, was, was), 0, NULL);
	says(compare(&usual, NULL, was), 0, NULL);
	says(compare(&usual, was, NOW({"a", 3000, 0, false, 3}, {"b", 9, 0, false, 4}, {"c", 1, 0, false, 5})), 0, NULL);
}

static void a_table_that_is_gone_is_found(void **state)
{
	const struct row *was = NOW({"a", 1000, 0, false, 1}, {"b", 1, 0, false, 2});

	(void)state;
	says(compare(&usual, was, NOW({"a", 1000, 0, false, 1})), 1, "table shop.b is gone, it had 1 row");
}

static void a_table_that_was_empty_may_go(void **state)
{
	const struct row *was = NOW({"a", 1000, 0, false, 1}, {"b", 0, 0, false, 0});

	(void)state;
	says(compare(&usual, was, NOW({"a", 1000, 0, false, 1})), 0, NULL);
}

static void a_table_with_the_same_rows_under_a_new_name_was_renamed(void **state)
{
	const struct row *was = NOW({"a", 1000, 0, false, 1}, {"b", 50, 0, false, 2});

	(void)state;
	says(compare(&usual, was, NOW({"a", 1000, 0, false, 1}, {"bb", 50, 0, false, 2})), 0, NULL);
	says(compare(&usual, was, NOW({"a", 1000, 0, false, 1}, {"bb", 50, 0, false, 3})), 1, "table shop.b is gone, it had 50 rows");
	/* a copy that was there before is not the renamed table */
	says(compare(&usual, NOW({"a", 50, 0, false, 2}, {"b", 50, 0, false, 2}), NOW({"a", 50, 0, false, 2})), 1,
	     "table shop.b is gone, it had 50 rows");
}

static void what_the_configuration_leaves_out_now_is_not_missed(void **state)
{
	char *names[] = {text("gone"), text("bare:data")};
	const struct strings exclude = {.v = names, .n = 2};
	struct plausible_rules r = usual;

	(void)state;
	r.exclude_tables = &exclude;
	says(compare(&r, NOW({"bare", 5000, 0, false, 1}, {"gone", 5000, 0, false, 2}, {"x", 900, 0, false, 3}),
		     NOW({"bare", 0, 0, true, 0}, {"x", 900, 0, false, 3})), 0, NULL);
	/* and what comes back is no surprise */
	says(compare(&usual, NOW({"bare", 0, 0, true, 0}), NOW({"bare", 5000, 0, false, 1})), 0, NULL);
}

static void an_emptied_table_is_found_unless_it_was_small(void **state)
{
	(void)state;
	says(compare(&usual, NOW({"a", 10, 0, false, 1}, {"b", 9000, 0, false, 2}), NOW({"a", 0, 0, false, 0}, {"b", 9000, 0, false, 2})), 1,
	     "table shop.a is empty, it had 10 rows");
	says(compare(&usual, NOW({"a", 9, 0, false, 1}, {"b", 9000, 0, false, 2}), NOW({"a", 0, 0, false, 0}, {"b", 9000, 0, false, 2})), 0,
	     NULL);
	says(compare(&usual, NOW({"a", 3, 5 << 20, false, 1}), NOW({"a", 0, 0, false, 0})), 1, "table shop.a is empty, it had 3 rows");
}

static void fewer_rows_are_found_past_the_share_and_the_floor(void **state)
{

	(void)state;
	says(compare(&usual, NOW({"a", 1000, 0, false, 1}, {"z", 9000, 0, false, 9}), NOW({"a", 499, 0, false, 2}, {"z", 9000, 0, false, 9})),
	     1, "table shop.a has 499 rows, it had 1000 (50 % fewer)");
	says(compare(&usual, NOW({"a", 1000, 0, false, 1}, {"z", 9000, 0, false, 9}), NOW({"a", 500, 0, false, 2}, {"z", 9000, 0, false, 9})),
	     0, NULL);
	says(compare(&usual, NOW({"a", 3, 0, false, 1}), NOW({"a", 1, 0, false, 2})), 0, NULL);
	says(compare(&usual, NOW({"a", 22, 0, false, 1}), NOW({"a", 2, 0, false, 2})), 1, "table shop.a has 2 rows, it had 22 (90 % fewer)");
}

static void many_small_losses_are_found_as_one_of_the_database(void **state)
{
	struct row was[41] = {{0}}, now[41] = {{0}};
	static char names[40][8];

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		snprintf(names[i], sizeof(names[i]), "t%02zu", i);
		was[i] = (struct row){names[i], 12, 0, false, (uint8_t)i};
		now[i] = (struct row){names[i], 4, 0, false, (uint8_t)(i + 100)};
	}
	says(compare(&usual, was, now), 1, "database shop has 160 rows, it had 480 (66 % fewer)");
}

static void rows_without_their_content_are_found(void **state)
{
	(void)state;
	says(compare(&usual, NOW({"a", 1000, 9 << 20, false, 1}), NOW({"a", 1000, 1 << 20, false, 2})), 1,
	     "table shop.a has its rows, but their content went from 9.00 MiB to 1.00 MiB");
	says(compare(&usual, NOW({"a", 1000, 9 << 20, false, 1}), NOW({"a", 1000, 8 << 20, false, 2})), 0, NULL);
}

static void ignored_tables_come_and_go(void **state)
{
	char *patterns[] = {text("*_sessions"), text("wp_queue_?")};
	const struct strings ignore = {.v = patterns, .n = 2};
	struct plausible_rules r = usual;

	(void)state;
	r.ignore_tables = &ignore;
	says(compare(&r, NOW({"a", 100, 0, false, 3}, {"wp_queue_1", 900, 0, false, 1}, {"wp_sessions", 90000, 0, false, 2}),
		     NOW({"a", 100, 0, false, 3}, {"wp_sessions", 0, 0, false, 0})), 0, NULL);
	/* their new rows do not hide what others lost */
	says(compare(&r, NOW({"a", 150, 0, false, 3}, {"wp_sessions", 0, 0, false, 2}), NOW({"a", 30, 0, false, 4}, {"wp_sessions", 5000, 0, false, 0})),
	     2, "database shop has 30 rows, it had 150 (80 % fewer)");
}

static void the_core_of_a_wordpress_is_never_empty(void **state)
{
	const struct row *hollow = NOW({"wp_options", 0, 0, false, 0}, {"wp_posts", 5, 0, false, 1}, {"wp_users", 2, 0, false, 2});
	const char *word = "table shop.wp_options is empty: WordPress cannot work without it";

	(void)state;
	says(compare(&usual, NULL, hollow), 1, word);
	says(compare(&usual, NOW({"wp_options", 8, 0, false, 0}, {"wp_posts", 5, 0, false, 1}, {"wp_users", 2, 0, false, 2}), hollow), 1, word);
	says(compare(&usual, hollow, hollow), 0, NULL); /* somebody accepted that */
	says(compare(&usual, NULL, NOW({"options", 0, 0, false, 0}, {"other", 5, 0, false, 1})), 0, NULL);
	says(compare(&usual, NULL, NOW({"posts", 5, 0, false, 1}, {"users", 0, 0, false, 0})), 0, NULL); /* any blog */
	says(compare(&usual, NULL, NOW({"wp_2_options", 0, 0, false, 0}, {"wp_2_postmeta", 5, 0, false, 1}, {"wp_2_posts", 5, 0, false, 1})), 1,
	     "table shop.wp_2_options is empty: WordPress cannot work without it");
	says(compare(&usual, NULL, NOW({"wp_options", 0, 0, true, 0}, {"wp_posts", 5, 0, false, 1}, {"wp_users", 5, 0, false, 1})), 0, NULL);
}

static void without_a_share_tables_are_not_compared(void **state)
{
	struct plausible_rules r = usual;

	(void)state;
	r.rows_drop_pct = 0;
	says(compare(&r, NOW({"a", 1000, 0, false, 1}, {"b", 1000, 0, false, 2}), NOW({"a", 0, 0, false, 0})), 0, NULL);
}

static void the_worst_comes_first(void **state)
{
	(void)state;
	says(compare(&usual, NOW({"a", 100, 0, false, 1}, {"b", 500, 0, false, 2}, {"c", 400, 0, false, 3}, {"z", 9000, 0, false, 4}),
		     NOW({"a", 10, 0, false, 5}, {"c", 0, 0, false, 0}, {"z", 9000, 0, false, 4})),
	     3, "table shop.c is empty, it had 400 rows");
}

static void names_of_tables_cannot_paint_the_screen(void **state)
{
	(void)state;
	says(compare(&usual, NOW({"a\033[31m\nb", 100, 0, false, 1}), NOW({"z", 9000, 0, false, 2})), 1,
	     "table shop.a?[31m?b is gone, it had 100 rows");
}

/* ---- sizes */

static struct findings sizes(const struct plausible_sizes *before, struct plausible_sizes now)
{
	struct findings f = {0};

	plausible_sizes(&usual, before, &now, &f);
	findings_sort(&f);
	return f;
}

static const struct plausible_sizes plain = {.bytes_in = 100 << 20, .bytes_stored = 25 << 20, .files = 1000};

static void sizes_that_grow_a_bit_are_no_finding(void **state)
{
	(void)state;
	says(sizes(NULL, plain), 0, NULL);
	says(sizes(&plain, plain), 0, NULL);
	says(sizes(&plain, (struct plausible_sizes){.bytes_in = 300 << 20, .bytes_stored = 75 << 20, .files = 4000}), 0, NULL);
	says(sizes(&plain, (struct plausible_sizes){.bytes_in = 60 << 20, .bytes_stored = 15 << 20, .files = 600}), 0, NULL);
}

static void a_jump_and_a_fall_are_found(void **state)
{
	(void)state;
	says(sizes(&plain, (struct plausible_sizes){.bytes_in = 501 << 20, .bytes_stored = 120 << 20, .files = 1000}), 1,
	     "there are 501 MiB to back up, there were 100 MiB");
	says(sizes(&plain, (struct plausible_sizes){.bytes_in = 40 << 20, .bytes_stored = 10 << 20, .files = 1000}), 1,
	     "there are 40.0 MiB to back up, there were 100 MiB (60 % less)");
	says(sizes(&plain, (struct plausible_sizes){.bytes_in = 90 << 20, .bytes_stored = 22 << 20, .files = 300}), 1,
	     "there are 300 files, there were 1000 (70 % fewer)");
}

static void small_sites_may_jump_and_fall(void **state)
{
	const struct plausible_sizes small = {.bytes_in = 3 << 20, .bytes_stored = 1 << 20, .files = 40};

	(void)state;
	says(sizes(&small, (struct plausible_sizes){.bytes_in = 60 << 20, .bytes_stored = 15 << 20, .files = 4000}), 0, NULL);
	says(sizes(&small, (struct plausible_sizes){.bytes_in = 1 << 20, .bytes_stored = 1 << 18, .files = 2}), 0, NULL);
}

static void encrypted_and_blank_content_is_found_by_how_it_compresses(void **state)
{
	const struct plausible_sizes photos = {.bytes_in = 100 << 20, .bytes_stored = 99 << 20, .files = 10};

	(void)state;
	says(sizes(&plain, (struct plausible_sizes){.bytes_in = 100 << 20, .bytes_stored = 99 << 20, .files = 1000}), 1,
	     "the data does not compress any more (1.0:1, before 4.0:1): has it been encrypted?");
	says(sizes(&plain, (struct plausible_sizes){.bytes_in = 100 << 20, .bytes_stored = 100 << 10, .files = 1000}), 1,
	     "the data compresses to almost nothing (1024:1, before 4.0:1): is it blank?");
	says(sizes(&photos, photos), 0, NULL);
	says(sizes(&plain, (struct plausible_sizes){.bytes_in = 100 << 20, .bytes_stored = 10 << 20, .files = 1000}), 0, NULL);
}

static void blank_files_are_found_also_the_first_time(void **state)
{
	struct plausible_sizes some = plain;

	(void)state;
	some.blank_files = 101;
	says(sizes(NULL, some), 1, "101 of 1000 files hold nothing but zero bytes");
	says(sizes(&plain, some), 1, "101 of 1000 files hold nothing but zero bytes");
	says(sizes(&some, some), 0, NULL); /* it was accepted so */
	some.blank_files = 100;
	says(sizes(NULL, some), 0, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_happened_is_no_finding),
		cmocka_unit_test(a_table_that_is_gone_is_found),
		cmocka_unit_test(a_table_that_was_empty_may_go),
		cmocka_unit_test(a_table_with_the_same_rows_under_a_new_name_was_renamed),
		cmocka_unit_test(what_the_configuration_leaves_out_now_is_not_missed),
		cmocka_unit_test(an_emptied_table_is_found_unless_it_was_small),
		cmocka_unit_test(fewer_rows_are_found_past_the_share_and_the_floor),
		cmocka_unit_test(many_small_losses_are_found_as_one_of_the_database),
		cmocka_unit_test(rows_without_their_content_are_found),
		cmocka_unit_test(ignored_tables_come_and_go),
		cmocka_unit_test(the_core_of_a_wordpress_is_never_empty),
		cmocka_unit_test(without_a_share_tables_are_not_compared),
		cmocka_unit_test(the_worst_comes_first),
		cmocka_unit_test(names_of_tables_cannot_paint_the_screen),
		cmocka_unit_test(sizes_that_grow_a_bit_are_no_finding),
		cmocka_unit_test(a_jump_and_a_fall_are_found),
		cmocka_unit_test(small_sites_may_jump_and_fall),
		cmocka_unit_test(encrypted_and_blank_content_is_found_by_how_it_compresses),
		cmocka_unit_test(blank_files_are_found_also_the_first_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
