/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/units.c"

#include <math.h>
#include <string.h>

#include "shared/attr.h"
#include "tests/unit.h"

static void sizes_have_three_digits_and_an_iec_unit(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text, *brief;
	} is[] = {
		{0, "0 B", "0"},
		{512, "512 B", "512"},
		{999, "999 B", "999"},
		{1000, "0.98 KiB", "1.0K"},
		{3174, "3.10 KiB", "3.1K"},
		{10240, "10.0 KiB", "10.0K"},
		{1023488, "0.98 MiB", "1.0M"},
		{51861730099, "48.3 GiB", "48.3G"},
		{UINT64_MAX, "16.0 EiB", "16.0E"},
	};
	char text[UNITS_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(is); i++) {
		assert_string_equal(units_bytes(text, is[i].bytes), is[i].text);
		assert_string_equal(units_bytes_short(text, is[i].bytes), is[i].brief);
	}
}

static void a_short_size_or_span_never_takes_more_than_six_cells(void **state)
{
	char text[UNITS_TEXT];

	(void)state;
	for (unsigned bit = 0; bit < 63; bit++)
		for (uint64_t near = 0; near < 3; near++) {
			uint64_t v = ((uint64_t)1 << bit) - 1 + near;

			assert_true(strlen(units_bytes_short(text, v)) <= 6);
			assert_true(strlen(units_bytes(text, v)) <= 8);
			assert_true(strlen(units_span(text, (int64_t)v)) <= 6);
		}
}

static void a_rate_that_is_not_known_is_zero(void **state)
{
	char text[UNITS_TEXT];

	(void)state;
	assert_string_equal(units_rate(text, 158.0 * 1048576), "158 MiB/s");
	assert_string_equal(units_rate(text, NAN), "0 B/s");
	assert_string_equal(units_rate(text, -5), "0 B/s");
	assert_string_equal(units_rate(text, INFINITY), "0 B/s");
}

static void spans_change_their_unit_as_they_grow(void **state)
{
	char text[UNITS_TEXT];

	(void)state;
	assert_string_equal(units_span(text, -1), "0s");
	assert_string_equal(units_span(text, 21000), "21s");
	assert_string_equal(units_span(text, 59600), "1m00s");
	assert_string_equal(units_span(text, 250000), "4m10s");
	assert_string_equal(units_span(text, 11400000), "3h10");
	assert_string_equal(units_span(text, 172800000), "2d");
}

static void estimates_are_words_for_people(void **state)
{
	char text[UNITS_TEXT];

	(void)state;
	assert_string_equal(units_about(text, 59999), "less than 1 min");
	assert_string_equal(units_about(text, 420000), "about 7 min");
	assert_string_equal(units_about(text, 7200000), "about 2 h");
	assert_string_equal(units_about(text, 259200000), "about 3 days");
}

static void a_count_has_the_word_for_one_or_for_many(void **state)
{
	char text[UNITS_COUNT];

	(void)state;
	assert_string_equal(units_count(text, 0, "table", "tables"), "0 tables");
	assert_string_equal(units_count(text, 1, "table", "tables"), "1 table");
	assert_string_equal(units_count(text, UINT64_MAX, "row", "a word of more than thirty-nine characters"),
			    "18446744073709551615 a word of more than thirty-nine charact");
}

static void counts_have_their_thousands_apart(void **state)
{
	char text[UNITS_TEXT];

	(void)state;
	assert_string_equal(units_thousands(text, 0), "0");
	assert_string_equal(units_thousands(text, 999), "999");
	assert_string_equal(units_thousands(text, 1000), "1,000");
	assert_string_equal(units_thousands(text, 100000), "100,000");
	assert_string_equal(units_thousands(text, 12345678), "12,345,678");
	assert_string_equal(units_thousands(text, 99999999999999999u), "99,999,999,999,999,999");
	assert_string_equal(units_thousands(text, UINT64_MAX), "18446744073709551615");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_have_three_digits_and_an_iec_unit),
		cmocka_unit_test(a_short_size_or_span_never_takes_more_than_six_cells),
		cmocka_unit_test(a_rate_that_is_not_known_is_zero),
		cmocka_unit_test(spans_change_their_unit_as_they_grow),
		cmocka_unit_test(estimates_are_words_for_people),
		cmocka_unit_test(a_count_has_the_word_for_one_or_for_many),
		cmocka_unit_test(counts_have_their_thousands_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
