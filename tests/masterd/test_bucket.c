/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/bucket.c"

#include <stdio.h>

#include "tests/unit.h"

static void an_address_gets_its_share_and_waits_for_the_next(void **state)
{
	struct buckets *b = buckets_new(3);

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(buckets_wait_s(b, "10.0.0.1", 1000), 0);
		buckets_take(b, "10.0.0.1", 1000);
	}
	/* a third of a minute brings one back */
	assert_int_equal(buckets_wait_s(b, "10.0.0.1", 1000), 21);
	assert_int_equal(buckets_wait_s(b, "10.0.0.1", 11000), 11);
	assert_int_equal(buckets_wait_s(b, "10.0.0.1", 21000), 0);
	assert_int_equal(buckets_wait_s(b, "10.0.0.2", 1000), 0);
	buckets_free(b);
}

static void it_never_saves_more_than_a_minutes_worth(void **state)
{
	struct buckets *b = buckets_new(2);

	(void)state;
	buckets_take(b, "a", 0);
	assert_int_equal(buckets_wait_s(b, "a", 3600000), 0);
	buckets_take(b, "a", 3600000);
	buckets_take(b, "a", 3600000);
	assert_int_not_equal(buckets_wait_s(b, "a", 3600000), 0);
	buckets_free(b);
}

static void a_flood_of_addresses_takes_no_more_memory_and_forgets_the_quiet(void **state)
{
	struct buckets *b = buckets_new(1);
	char address[64];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		snprintf(address, sizeof(address), "2001:db8:%x::1", i);
		buckets_take(b, address, 1000 + i);
	}
	/* the newest is still held back */
	assert_int_not_equal(buckets_wait_s(b, address, 21000), 0);
	buckets_free(b);
}

static void a_network_of_ipv6_counts_as_one_address(void **state)
{
	struct buckets *b = buckets_new(1);

	(void)state;
	buckets_take(b, "2001:db8:0:7::1", 0);
	assert_int_equal(buckets_wait_s(b, "2001:db8:0:7:ffff::2", 0), 61);
	assert_int_equal(buckets_wait_s(b, "2001:db8:0:8::1", 0), 0);
	buckets_take(b, "::ffff:192.0.2.1", 0);
	assert_int_equal(buckets_wait_s(b, "::ffff:192.0.2.2", 0), 0);
	assert_int_equal(buckets_wait_s(b, "not:an:address", 0), 0);
	buckets_free(b);
}

static void a_new_rate_counts_at_once(void **state)
{
	struct buckets *b = buckets_new(1);

	(void)state;
	buckets_take(b, "a", 0);
	assert_int_equal(buckets_wait_s(b, "a", 1000), 60);
	buckets_set(b, 60);
	assert_int_equal(buckets_wait_s(b, "a", 2000), 0);
	buckets_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_gets_its_share_and_waits_for_the_next),
		cmocka_unit_test(it_never_saves_more_than_a_minutes_worth),
		cmocka_unit_test(a_flood_of_addresses_takes_no_more_memory_and_forgets_the_quiet),
		cmocka_unit_test(a_network_of_ipv6_counts_as_one_address),
		cmocka_unit_test(a_new_rate_counts_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
