/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/forecast.c"

#include "tests/unit.h"

static const int64_t start = 1795392000000;

static void within(double got, double low, double high)
{
	if (got < low || got > high)
		fail_msg("%g is not within %g and %g", got, low, high);
}

/* hours of a disk that grows by per_hour, with a wave of a day on top */
static struct forecast grown(int hours, double from, double per_hour, double wave)
{
	struct forecast f = {0};

	for (int h = 0; h < hours; h++)
		forecast_add(&f, start + (int64_t)h * HOUR_MS, from + per_hour * h + (h % 24 < 12 ? wave : -wave));
	return f;
}

static void a_steady_growth_meets_the_end(void **state)
{
	struct forecast f = grown(240, 50, 0.1, 0);
	double days, per_day;

	(void)state;
	assert_true(forecast_days(&f, &days, &per_day));
	within(per_day, 2.39, 2.41);
	within(days, (100 - 73.9) / 2.4 - 0.01, (100 - 73.9) / 2.4 + 0.01);
}

static void the_wave_of_a_day_does_not_matter(void **state)
{
	struct forecast f = grown(720, 20, 0.1, 3);
	double days, per_day;

	(void)state;
	assert_true(forecast_days(&f, &days, &per_day));
	within(per_day, 2.3, 2.5);
	within(days, 3, 6);
}

static void what_does_not_grow_is_never_full(void **state)
{
	struct forecast still = grown(240, 80, 0, 2), less = grown(240, 80, -0.1, 0), hardly = grown(240, 80, 0.003, 0);
	double days, per_day;

	(void)state;
	assert_false(forecast_days(&still, &days, &per_day));
	assert_false(forecast_days(&less, &days, &per_day));
	assert_false(forecast_days(&hardly, &days, &per_day));
}

static void a_short_past_tells_nothing(void **state)
{
	struct forecast none = {0}, short_one = grown(60, 50, 0.5, 0), same = {0}, few = {0};
	double days, per_day;

	(void)state;
	assert_false(forecast_days(&none, &days, &per_day));
	assert_false(forecast_days(&short_one, &days, &per_day));
	for (int i = 0; i < 100; i++)
		forecast_add(&same, start, i);
	assert_false(forecast_days(&same, &days, &per_day));
	forecast_add(&few, start, 10);
	forecast_add(&few, start + 30 * (int64_t)24 * HOUR_MS, 90);
	assert_false(forecast_days(&few, &days, &per_day));
}

static void what_is_full_has_no_days_left(void **state)
{
	struct forecast f = grown(240, 80, 0.1, 0);
	double days, per_day;

	(void)state;
	assert_true(forecast_days(&f, &days, &per_day));
	within(days, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_growth_meets_the_end),
		cmocka_unit_test(the_wave_of_a_day_does_not_matter),
		cmocka_unit_test(what_does_not_grow_is_never_full),
		cmocka_unit_test(a_short_past_tells_nothing),
		cmocka_unit_test(what_is_full_has_no_days_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
