/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/calendar.c"

#include "tests/unit.h"

static void an_answer_in_a_zone_is_read_from_its_utc_lines(void **state)
{
	CLEANUP(answer_done) struct answer a = {0};
	char text[CLOCK_TEXT];

	(void)state;
	parse_answer("  Original form: *-*-* 03:10\nNormalized form: *-*-* 03:10:00\n"
		     "    Next elapse: Tue 2026-11-24 03:10:00 CET\n       (in UTC): Tue 2026-11-24 02:10:00 UTC\n"
		     "       From now: 13h left\n       Iter. #2: Wed 2026-11-25 03:10:00 CET\n"
		     "       (in UTC): Wed 2026-11-25 02:10:00 UTC\n       From now: 1 day 13h left\n", &a);
	assert_string_equal(a.normalized, "*-*-* 03:10:00");
	assert_int_equal(a.utc.n, 2);
	assert_int_equal(a.local.n, 2);
	assert_string_equal(clock_rfc3339(text, a.utc.v[1]), "2026-11-25T02:10:00Z");
	assert_string_equal(a.local.v[0].at, "2026-11-24 03:10:00");
}

static void an_answer_in_utc_has_one_line_a_time(void **state)
{
	CLEANUP(answer_done) struct answer a = {0};

	(void)state;
	parse_answer("Normalized form: *-*-* 00:00:00\n    Next elapse: Tue 2026-11-24 00:00:00 UTC\n"
		     "       Iter. #2: Wed 2026-11-25 00:00:00 UTC\n", &a);
	assert_int_equal(a.utc.n, 2);
	assert_int_equal(a.local.n, 2);
}

static void never_and_nonsense_give_no_times(void **state)
{
	CLEANUP(answer_done) struct answer a = {0};

	(void)state;
	parse_answer("Normalized form: 2020-01-01 00:00:00\n    Next elapse: never\n", &a);
	parse_answer("", &a);
	parse_answer("\n\n:::\nNext elapse:\nNext elapse: x\nIter. #", &a);
	parse_answer("Next elapse: Tue 2026-11-24", &a);
	assert_int_equal(a.utc.n, 0);
}

static void a_zone_is_told_from_a_time(void **state)
{
	char rest[EXPR_MAX], zone[64];

	(void)state;
	split_zone("*-*-* 02:30 Europe/Berlin", rest, zone);
	assert_string_equal(rest, "*-*-* 02:30");
	assert_string_equal(zone, "Europe/Berlin");
	split_zone("daily UTC", rest, zone);
	assert_string_equal(zone, "UTC");
	split_zone("*-*-* *:0/5", rest, zone);
	assert_string_equal(zone, "");
	split_zone("*-1/3-1 0/6:00", rest, zone);
	assert_string_equal(zone, "");
	split_zone("Mon *-*-* 1/2", rest, zone);
	assert_string_equal(zone, "");
	split_zone("daily", rest, zone);
	assert_string_equal(rest, "daily");
}

static bool no_systemd(void)
{
	return access("/usr/bin/systemd-analyze", X_OK) != 0 && access("/bin/systemd-analyze", X_OK) != 0;
}

static void systemd_says_when(void **state)
{
	CLEANUP(calendar_done) struct calendar c = {0};
	struct err e = {0};

	(void)state;
	if (no_systemd())
		skip();
	if (calendar_ask(&c, "*-*-* 03:10 Europe/Berlin", 5, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(c.next.n, 5);
	for (size_t i = 1; i < 5; i++)
		assert_true(c.next.v[i] - c.next.v[i - 1] >= 23 * 3600000 && c.next.v[i] - c.next.v[i - 1] <= 25 * 3600000);
	assert_string_equal(c.warning, "");
	assert_string_equal(c.normalized, "*-*-* 03:10:00 Europe/Berlin");
}

static void a_time_that_a_clock_change_leaves_out_is_warned_about(void **state)
{
	static const char *const exprs[] = {"*-*-* 02:30 Europe/Berlin", "Sun 02:15 America/New_York"};
	struct err e = {0};

	(void)state;
	if (no_systemd())
		skip();
	for (size_t i = 0; i < ARRAY_LEN(exprs); i++) {
		CLEANUP(calendar_done) struct calendar c = {0};

		assert_int_equal(calendar_ask(&c, exprs[i], 1, &e), 0);
		assert_non_null(strstr(c.warning, "does not exist"));
	}
	CLEANUP(calendar_done) struct calendar c = {0};
	assert_int_equal(calendar_ask(&c, "*-*-* 02:30 UTC", 1, &e), 0);
	assert_string_equal(c.warning, "");
}

static void what_systemd_cannot_read_is_said_with_an_example(void **state)
{
	static const char *const bad[] = {"nonsense", "--help", "*-*-* 25:00", "daily; reboot"};
	struct calendar c;
	struct err e = {0};

	(void)state;
	if (no_systemd())
		skip();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(calendar_ask(&c, bad[i], 1, &e), -1);
		assert_int_equal(e.kind, ERR_INVALID);
		assert_non_null(strstr(e.msg, "*-*-* 03:10"));
		calendar_done(&c);
	}
	assert_int_equal(calendar_ask(&c, "", 1, &e), -1);
	assert_int_equal(calendar_ask(&c, "a\nb", 1, &e), -1);
	assert_int_equal(calendar_ask(&c, "daily", 0, &e), -1);
	assert_int_equal(calendar_ask(&c, "daily", 1001, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_in_a_zone_is_read_from_its_utc_lines),
		cmocka_unit_test(an_answer_in_utc_has_one_line_a_time),
		cmocka_unit_test(never_and_nonsense_give_no_times),
		cmocka_unit_test(a_zone_is_told_from_a_time),
		cmocka_unit_test(systemd_says_when),
		cmocka_unit_test(a_time_that_a_clock_change_leaves_out_is_warned_about),
		cmocka_unit_test(what_systemd_cannot_read_is_said_with_an_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
