/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/pace.c"

#include "tests/unit.h"

/* Changes come evenly, whatever the writer does. */
static int64_t evenly(double a_second, int transactions)
{
	struct pace p = {0};
	double open = 0;

	for (int i = 0; i < transactions; i++) {
		/* a transaction takes a millisecond beside its wait */
		double us = (double)p.wait_us + 1000, came = a_second * us / 1e6 + open;
		/* whether one falls into the second half of the wait, spread over the transactions */
		double half = a_second * (double)p.wait_us / 2e6;
		bool late = half >= 1 || (half > 0 && i % (int)(1 / half) == 0);

		open = came - (int)came;
		pace_learn(&p, (size_t)came < 1 ? 1 : (size_t)came, late, (int64_t)us);
	}
	return p.wait_us;
}

/* So many ask, and ask again as soon as they are answered. */
static int64_t in_turn(size_t clients, int transactions)
{
	struct pace p = {0};

	for (int i = 0; i < transactions; i++)
		/* all are there within 100 microseconds, none later */
		pace_learn(&p, clients, p.wait_us / 2 < 100, p.wait_us + 1000);
	return p.wait_us;
}

static void a_fleet_that_reports_evenly_is_written_in_few_transactions(void **state)
{
	(void)state;
	assert_in_range(evenly(1000, 2000), 10000, PACE_MOST_US);
	assert_in_range(evenly(300, 2000), 10000, PACE_MOST_US);
}

static void who_waits_for_each_answer_is_not_kept_waiting(void **state)
{
	(void)state;
	assert_int_equal(in_turn(1, 2000) <= PACE_LEAST_US, true);
	assert_int_equal(in_turn(4, 2000) <= 2 * PACE_LEAST_US, true);
	assert_int_equal(in_turn(64, 2000) <= 2 * PACE_LEAST_US, true);
}

static void nobody_waits_longer_than_the_most(void **state)
{
	struct pace p = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		pace_learn(&p, 1, true, 1000000);
	assert_int_equal(p.wait_us, PACE_MOST_US);
	pace_learn(&p, 0, false, 0);
	assert_int_equal(p.wait_us, PACE_MOST_US / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fleet_that_reports_evenly_is_written_in_few_transactions),
		cmocka_unit_test(who_waits_for_each_answer_is_not_kept_waiting),
		cmocka_unit_test(nobody_waits_longer_than_the_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
