/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/grid.c"

#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "tests/unit.h"

static uint64_t place_of(const char *text, bool is_unsigned)
{
	uint64_t v;

	assert_true(grid_place(&v, text, strlen(text), is_unsigned));
	return v;
}

static void assert_back(const char *text, bool is_unsigned)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, 64);
	grid_literal(&b, place_of(text, is_unsigned), is_unsigned);
	assert_string_equal(b.p, text);
}

static void every_key_of_64_bits_has_a_place_and_comes_back(void **state)
{
	(void)state;
	assert_back("-9223372036854775808", false);
	assert_back("-9223372036854775807", false);
	assert_back("-1", false);
	assert_back("0", false);
	assert_back("9223372036854775807", false);
	assert_back("0", true);
	assert_back("9223372036854775808", true);
	assert_back("18446744073709551615", true);
	assert_int_equal(place_of("-9223372036854775808", false), 0);
	assert_int_equal(place_of("9223372036854775807", false), UINT64_MAX);
	assert_int_equal(place_of("0007", true), 7);
}

static void places_follow_the_order_of_the_keys(void **state)
{
	(void)state;
	assert_true(place_of("-2", false) < place_of("-1", false));
	assert_true(place_of("-1", false) < place_of("0", false));
	assert_true(place_of("0", false) < place_of("1", false));
	assert_int_equal(place_of("0", false) - place_of("-1", false), 1);
}

static void what_is_no_such_key_is_refused(void **state)
{
	static const struct { const char *text; bool is_unsigned; } bad[] = {
		{"", false}, {"-", false}, {"x", false}, {"1.0", false}, {"1e3", true}, {" 1", false}, {"-1", true}, {"+1", true},
		{"9223372036854775808", false}, {"-9223372036854775809", false}, {"18446744073709551616", true},
		{"99999999999999999999999", true},
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(grid_place(&v, bad[i].text, strlen(bad[i].text), bad[i].is_unsigned));
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static int by_place(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* As the dump does: to the least key that is left, then over its whole cell. */
static void walk(const uint64_t *keys, size_t n, unsigned shift)
{
	uint64_t next = keys[0];
	size_t read = 0;

	while (read < n) {
		uint64_t place = keys[read], first = grid_first(place, shift), last = grid_last(place, shift);

		assert_true(place >= next);             /* what lies before was read */
		assert_true(first <= place && place <= last);
		assert_true(read == 0 || keys[read - 1] < first);
		assert_int_equal(grid_first(last, shift), first);
		assert_int_equal(grid_last(first, shift), last);
		while (read < n && keys[read] <= last)
			read++;
		next = last + 1;
		if (!next)
			break;
	}
	assert_int_equal(read, n);
}

static void cells_cover_each_key_once_whatever_keys_and_width(void **state)
{
	uint64_t seed = 88172645463325252u, keys[500];

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		unsigned narrow = (unsigned)(next_random(&seed) % 64), shift = (unsigned)(next_random(&seed) % 65);
		size_t n = 1 + next_random(&seed) % 500;
		uint64_t base = next_random(&seed);

		if (narrow > shift + 12) /* else there are too many cells to no end */
			narrow = shift + 12 > 63 ? 63 : shift + 12;
		for (size_t i = 0; i < n; i++)
			keys[i] = round % 3 ? base + (next_random(&seed) & (((uint64_t)1 << narrow) - 1)) : next_random(&seed);
		if (round % 7 == 0)
			keys[0] = UINT64_MAX;
		if (round % 11 == 0)
			keys[n - 1] = 0;
		qsort(keys, n, sizeof(keys[0]), by_place);
		walk(keys, n, shift);
	}
}

static void a_cell_holds_at_most_what_it_should_if_rows_lie_evenly(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		uint64_t bytes = next_random(&seed) >> (next_random(&seed) % 40), first = next_random(&seed) >> 1;
		uint64_t span = 1 + (next_random(&seed) >> (1 + next_random(&seed) % 60));
		unsigned shift = grid_shift(bytes, first, first + span - 1);
		long double a_key = (long double)bytes / (long double)span, cell;

		if (shift == GRID_WHOLE) {
			assert_true(bytes <= GRID_CELL_RAW);
			continue;
		}
		cell = a_key * (long double)((uint64_t)1 << shift);
		assert_true(shift == 0 || cell <= GRID_CELL_RAW * 1.0001L);
		assert_true(shift == GRID_WHOLE - 1 || cell * 2 > GRID_CELL_RAW * 0.9999L);
	}
	assert_int_equal(grid_shift((uint64_t)1 << 40, 0, UINT64_MAX), 46);
	assert_int_equal(grid_shift(0, 5, 5), GRID_WHOLE);
	assert_int_equal(grid_shift((uint64_t)1 << 40, 5, 5), 0);
}

static void a_width_is_kept_while_it_is_about_right(void **state)
{
	const uint64_t large = (uint64_t)1 << 30;

	(void)state;
	assert_int_equal(grid_start(-1, 16), 16);
	assert_int_equal(grid_start(14, 16), 14);
	assert_int_equal(grid_start(14, 40), 40);
	assert_int_equal(grid_start(14, GRID_WHOLE), 14);
	assert_int_equal(grid_start(99, 16), 16);
	assert_int_equal(grid_keep(-1, 16, large), 16);
	assert_int_equal(grid_keep(15, 16, large), 15);
	assert_int_equal(grid_keep(17, 16, large), 17);
	assert_int_equal(grid_keep(14, 16, large), 16);
	assert_int_equal(grid_keep(18, 16, large), 16);
	assert_int_equal(grid_keep(16, GRID_WHOLE, GRID_CELL_RAW / 2), 16);
	assert_int_equal(grid_keep(16, GRID_WHOLE, 1000), GRID_WHOLE);
	assert_int_equal(grid_keep(-1, GRID_WHOLE, 1000), GRID_WHOLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_of_64_bits_has_a_place_and_comes_back),
		cmocka_unit_test(places_follow_the_order_of_the_keys),
		cmocka_unit_test(what_is_no_such_key_is_refused),
		cmocka_unit_test(cells_cover_each_key_once_whatever_keys_and_width),
		cmocka_unit_test(a_cell_holds_at_most_what_it_should_if_rows_lie_evenly),
		cmocka_unit_test(a_width_is_kept_while_it_is_about_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
