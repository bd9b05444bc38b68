/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/clock.c"

#include <string.h>

#include "tests/unit.h"

static void a_time_is_written_as_rfc_3339_in_utc(void **state)
{
	char text[CLOCK_TEXT];

	(void)state;
	assert_string_equal(clock_rfc3339(text, 1795403400000), "2026-11-23T03:10:00Z");
	assert_string_equal(clock_rfc3339(text, 1795403400007), "2026-11-23T03:10:00.007Z");
	assert_string_equal(clock_rfc3339(text, -1), "1969-12-31T23:59:59.999Z");
	assert_string_equal(clock_rfc3339(text, 0), "");
	assert_string_equal(clock_rfc3339(text, INT64_MAX), "");
}

static void any_zone_and_fraction_is_read(void **state)
{
	int64_t ms = 0;

	(void)state;
	assert_int_equal(clock_parse(&ms, "2026-11-23T05:10:00.25+02:00"), 0);
	assert_int_equal(ms, 1795403400250);
	assert_int_equal(clock_parse(&ms, "2026-11-22t21:40:00.1239999-05:30"), 0);
	assert_int_equal(ms, 1795403400123);
	assert_int_equal(clock_parse(&ms, "2024-02-29T00:00:00Z"), 0);
	assert_int_equal(ms, 1709164800000);
	assert_int_equal(clock_parse(&ms, "2016-12-31T23:59:60Z"), 0);
	assert_int_equal(ms, 1483228800000);
}

static void what_is_no_time_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		"2026-11-23",
		"2026-11-23T03:10:00",
		"2026-02-30T00:00:00Z",
		"2025-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-11-23T24:00:00Z",
		"2026-11-23T03:10:00.Z",
		"2026-11-23T03:10:00+2:00",
		"2026-11-23T03:10:00Z ",
		" 2026-11-23T03:10:00Z",
		"2026-11-23T03:10:00+99:00",
	};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (clock_parse(&ms, bad[i]) != -1)
			fail_msg("\"%s\" was taken", bad[i]);
	}
	assert_int_equal(clock_parse(&ms, NULL), -1);
	assert_int_equal(ms, 7);
}

static void a_format_that_does_not_fit_gives_the_empty_text(void **state)
{
	char text[6];

	(void)state;
	assert_string_equal(clock_format(text, sizeof(text), "%H:%M", 1795403400000), "03:10");
	assert_string_equal(clock_format(text, sizeof(text), "%Y-%m-%d", 1795403400000), "");
}

static void the_local_zone_is_asked_for_local_texts(void **state)
{
	char text[16];

	(void)state;
	setenv("TZ", "IST-5:30", 1);
	tzset();
	assert_string_equal(clock_format_local(text, sizeof(text), "%H:%M", 1795403400000), "08:40");
	assert_string_equal(clock_format(text, sizeof(text), "%H:%M", 1795403400000), "03:10");
	unsetenv("TZ");
	tzset();
}

static void the_clock_stands_still_where_felloe_now_says(void **state)
{
	int64_t before = clock_mono_ms();

	(void)state;
	assert_int_equal(clock_ms(), 1795403400000);
	clock_sleep_ms(2);
	assert_int_equal(clock_ms(), 1795403400000);
	assert_true(clock_mono_ms() >= before + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_written_as_rfc_3339_in_utc),
		cmocka_unit_test(any_zone_and_fraction_is_read),
		cmocka_unit_test(what_is_no_time_is_refused_and_changes_nothing),
		cmocka_unit_test(a_format_that_does_not_fit_gives_the_empty_text),
		cmocka_unit_test(the_local_zone_is_asked_for_local_texts),
		cmocka_unit_test(the_clock_stands_still_where_felloe_now_says),
	};

	setenv("FELLOE_NOW", "2026-11-23T03:10:00Z", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
