/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/progress.c"

#include "tests/unit.h"

static void definitions_are_counted_while_no_byte_moves(void **state)
{
	struct wire_progress p = {.site = "shop", .phase = "dump", .item = "wp_posts", .bytes_total = 1000};
	struct progress g = {.p = &p};
	char line[512];

	(void)state;
	progress_definitions(&p, 12345, 100000);
	assert_string_equal(p.phase, "definitions");
	assert_string_equal(p.item, "12,345 of 100,000");
	format_line(&g, line, sizeof(line));
	assert_string_equal(line, "shop: definitions 12,345 of 100,000");
	progress_definitions(&p, 12346, 100000);
	format_line(&g, line, sizeof(line));
	assert_string_equal(line, "shop: definitions 12,346 of 100,000");
}

static void rows_have_their_share_and_their_rate(void **state)
{
	struct wire_progress p = {.site = "shop", .phase = "dump", .item = "wp_posts", .bytes_done = 1 << 20,
				  .bytes_total = 4 << 20, .rate = 1 << 20, .rate_avg = 1 << 20};
	struct progress g = {.p = &p};
	char line[512];

	(void)state;
	format_line(&g, line, sizeof(line));
	assert_string_equal(line, "shop: dump wp_posts: 1.00 MiB 25% of 4.00 MiB, ETA 3s, 1.00 MiB/s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(definitions_are_counted_while_no_byte_moves),
		cmocka_unit_test(rows_have_their_share_and_their_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
