/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/notice.c"

#include "tests/unit.h"

static void a_channel_hears_what_it_wants(void **state)
{
	struct alert a = {.kind = ALERT_DISK_FULL, .severity = SEVERITY_WARNING};
	struct notice n = {.event = NOTICE_OPENED, .alert = &a, .tags = "[\"gold\",\"eu\"]"};

	(void)state;
	assert_true(is_wanted("{}", &n));
	assert_false(is_wanted("{\"min_severity\":\"critical\"}", &n));
	assert_false(is_wanted("{\"kinds\":[\"failed_run\"]}", &n));
	assert_true(is_wanted("{\"kinds\":[\"failed_run\",\"disk_full\"]}", &n));
	assert_true(is_wanted("{\"tags\":[\"silver\",\"eu\"]}", &n));
	assert_false(is_wanted("{\"tags\":[\"silver\"]}", &n));
	n.tags = "[]";
	assert_false(is_wanted("{\"tags\":[\"eu\"]}", &n));
	n.event = NOTICE_RECOVERED;
	assert_true(is_wanted("{}", &n));
	assert_false(is_wanted("{\"recovered\":false}", &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_channel_hears_what_it_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
