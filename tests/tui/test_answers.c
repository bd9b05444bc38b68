/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/wizard/answers.c"

#include <fcntl.h>

#include "tests/unit.h"

static char dir[] = "/tmp/felloe-answers-XXXXXX";
static char *config_path, *kept_path;

static int make_dir(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	config_path = xasprintf("%s/config.json", dir);
	kept_path = xasprintf("%s/wizard.json", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	unlink(config_path);
	unlink(kept_path);
	free(config_path);
	free(kept_path);
	return rmdir(dir);
}

static int no_files(void **state)
{
	(void)state;
	unlink(config_path);
	unlink(kept_path);
	return 0;
}

static void put_file(const char *path, const char *text)
{
	struct err e;

	assert_int_equal(fs_write(path, text, strlen(text), 0600, &e), 0);
}

static char *config_of(const struct answers *a)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	answers_config(a, &b);
	return buf_take(&b);
}

static void a_fresh_machine_gets_a_nightly_timer_outside_the_clock_change(void **state)
{
	struct answers a;
	struct err e;
	char text[ANSWER_TEXT];

	(void)state;
	assert_int_equal(answers_init(&a, config_path, kept_path, &e), 0);
	assert_true(a.managed);
	assert_int_equal(a.timers.n, 1);
	answers_on_calendar(&a.timers.v[0], text, sizeof(text));
	assert_string_equal(text, "*-*-* 03:10:00");
	answers_done(&a);
}

static void each_kind_of_schedule_becomes_its_calendar_expression(void **state)
{
	struct answer_timer t;
	char text[ANSWER_TEXT];

	(void)state;
	timer_defaults(&t);
	t.days = 0x1f;
	answers_on_calendar(&t, text, sizeof(text));
	assert_string_equal(text, "Mon,Tue,Wed,Thu,Fri *-*-* 03:10:00");
	t.every = EVERY_HOUR;
	answers_on_calendar(&t, text, sizeof(text));
	assert_string_equal(text, "*-*-* *:10:00");
	t.every = EVERY_MONTH;
	answers_on_calendar(&t, text, sizeof(text));
	assert_string_equal(text, "*-*-01 03:10:00");
	t.every = EVERY_DAY;
	t.days = 0;
	answers_on_calendar(&t, text, sizeof(text));
	assert_string_equal(text, "");
	t.days = 0x7f;
	str_cut(t.at, sizeof(t.at), "25:00");
	answers_on_calendar(&t, text, sizeof(text));
	assert_string_equal(text, "");
}

static void what_the_wizard_does_not_ask_for_stays_in_the_configuration(void **state)
{
	struct answers a;
	struct err e;
	CLEANUP(freep) char *text = NULL;

	(void)state;
	put_file(config_path, "{\"server_id\":\"web-01\",\"limits\":{\"memory_mb\":64},"
			      "\"sites\":[{\"name\":\"shop\",\"wp_config_path\":\"/var/www/shop/wp-config.php\","
			      "\"hooks\":{\"before\":[\"/bin/true\"]}}],"
			      "\"storage\":[{\"name\":\"s3\",\"endpoint\":\"s3.example\",\"bucket\":\"b\",\"access_key\":\"k\","
			      "\"secret_key\":\"geheim\",\"max_upload_mbps\":20}]}");
	assert_int_equal(answers_init(&a, config_path, kept_path, &e), 0);
	assert_false(a.managed);
	text = config_of(&a);
	assert_non_null(strstr(text, "\"memory_mb\": 64"));
	assert_non_null(strstr(text, "\"/bin/true\""));
	assert_non_null(strstr(text, "\"max_upload_mbps\": 20"));
	assert_non_null(strstr(text, "\"secret_key\": \"geheim\""));
	answers_done(&a);
}

static void kept_answers_come_back_without_ever_having_held_a_secret(void **state)
{
	struct answers a;
	struct err e;
	struct buf kept;
	CLEANUP(freep) char *text = NULL;

	(void)state;
	put_file(config_path, "{\"sites\":[],\"storage\":[{\"name\":\"s3\",\"endpoint\":\"s3.example\",\"bucket\":\"b\","
			      "\"access_key\":\"k\",\"secret_key\":\"geheim\"}]}");
	assert_int_equal(answers_init(&a, config_path, kept_path, &e), 0);
	str_cut(a.storages.v[0].bucket, ANSWER_TEXT, "other");
	str_cut(a.master_url, sizeof(a.master_url), "https://m.example");
	a.managed = true;
	assert_int_equal(answers_keep(&a, &e), 0);
	answers_done(&a);

	buf_init(&kept, 1 << 20);
	assert_int_equal(fs_read(&kept, kept_path, &e), 0);
	assert_null(strstr(kept.p, "geheim"));
	buf_done(&kept);

	assert_int_equal(answers_init(&a, config_path, kept_path, &e), 0);
	assert_true(a.managed);
	assert_string_equal(a.storages.v[0].bucket, "other");
	assert_string_equal(a.storages.v[0].secret_key, "geheim");
	text = config_of(&a);
	assert_non_null(strstr(text, "https://m.example"));
	answers_done(&a);
}

static void old_runs_go_only_where_that_was_asked_for(void **state)
{
	struct answers a;
	struct err e;
	CLEANUP(freep) char *text = NULL;

	(void)state;
	assert_int_equal(answers_init(&a, config_path, kept_path, &e), 0);
	assert_string_equal(a.timers.v[0].keep, "14d 8w 12m");
	answers_done(&a);

	put_file(config_path, "{\"sites\":[],\"storage\":[],\"timers\":[{\"name\":\"all\",\"on_calendar\":\"daily\"},"
			      "{\"name\":\"some\",\"on_calendar\":\"daily\",\"keep\":{\"monthly\":6,\"newer\":1}},"
			      "{\"name\":\"few\",\"on_calendar\":\"daily\",\"keep\":{\"last\":2}}]}");
	assert_int_equal(answers_init(&a, config_path, kept_path, &e), 0);
	assert_string_equal(a.timers.v[0].keep, "");
	assert_string_equal(a.timers.v[1].keep, "6m");
	str_cut(a.timers.v[2].keep, ANSWER_TEXT, "7d");
	text = config_of(&a);
	assert_true(strstr(text, "\"keep\"") > strstr(text, "\"some\""));
	assert_non_null(strstr(text, "\"newer\": 1"));
	assert_non_null(strstr(text, "\"daily\": 7"));
	assert_null(strstr(text, "\"last\""));
	answers_done(&a);
}

static void kept_answers_give_way_to_a_configuration_written_after_them(void **state)
{
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct answers a;
	struct err e;

	(void)state;
	put_file(kept_path, "{\"timers\":[{\"name\":\"nightly\",\"on_calendar\":\"daily\"}]}");
	put_file(config_path, "{\"timers\":[{\"name\":\"nightly\",\"on_calendar\":\"daily\",\"keep\":{\"last\":9}}]}");
	assert_int_equal(utimensat(AT_FDCWD, kept_path, old, 0), 0);
	assert_int_equal(answers_init(&a, config_path, kept_path, &e), 0);
	assert_string_equal(a.timers.v[0].keep, "last 9");
	answers_done(&a);
	assert_int_equal(utimensat(AT_FDCWD, config_path, old, 0), 0);
	assert_int_equal(answers_init(&a, config_path, kept_path, &e), 0);
	assert_string_equal(a.timers.v[0].keep, "");
	answers_done(&a);
}

static void a_broken_configuration_is_never_written_over(void **state)
{
	struct answers a;
	struct err e;

	(void)state;
	put_file(config_path, "{\"sites\": [}");
	assert_int_equal(answers_init(&a, config_path, kept_path, &e), -1);
	assert_non_null(strstr(e.msg, "line 1"));
	answers_done(&a);
}

static void review_names_the_first_thing_that_is_missing(void **state)
{
	struct answers a;
	struct err e;
	char why[ANSWER_TEXT];

	(void)state;
	assert_int_equal(answers_init(&a, config_path, kept_path, &e), 0);
	assert_true(answers_lack(&a, 5, why, sizeof(why)));
	assert_non_null(strstr(why, "URL"));
	a.managed = false;
	assert_true(answers_lack(&a, 5, why, sizeof(why)));
	assert_non_null(strstr(why, "site"));
	((struct answer_site *)list_push(&a.sites))->chosen = true;
	assert_true(answers_lack(&a, 5, why, sizeof(why)));
	assert_non_null(strstr(why, "storage"));
	storage_from(list_push(&a.storages), NULL);
	a.storages.v[0].test = TEST_OK;
	assert_false(answers_lack(&a, 5, why, sizeof(why)));
	str_cut(a.storages.v[0].weight, 12, "0");
	assert_true(answers_lack(&a, 3, why, sizeof(why)));
	answers_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_fresh_machine_gets_a_nightly_timer_outside_the_clock_change, no_files),
		cmocka_unit_test_setup(each_kind_of_schedule_becomes_its_calendar_expression, no_files),
		cmocka_unit_test_setup(what_the_wizard_does_not_ask_for_stays_in_the_configuration, no_files),
		cmocka_unit_test_setup(kept_answers_come_back_without_ever_having_held_a_secret, no_files),
		cmocka_unit_test_setup(old_runs_go_only_where_that_was_asked_for, no_files),
		cmocka_unit_test_setup(kept_answers_give_way_to_a_configuration_written_after_them, no_files),
		cmocka_unit_test_setup(a_broken_configuration_is_never_written_over, no_files),
		cmocka_unit_test_setup(review_names_the_first_thing_that_is_missing, no_files),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
