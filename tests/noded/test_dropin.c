/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/dropin.c"

#include <stdlib.h>
#include <sys/stat.h>

#include "tests/unit.h"

static struct config *config_of(const char *extra_site, const char *timers)
{
	CLEANUP(freep) char *text = xasprintf(
		"{\"server_id\":\"n\",\"sites\":[{\"name\":\"shop\",\"paths\":[\"/srv/shop\"]%s}],\"storage\":[{\"name\":\"disk\","
		"\"type\":\"dir\",\"path\":\"/srv/50%% \\\"of\\\" it\"}],\"timers\":[%s]}", extra_site, timers);
	struct problems p = {0}, unknown = {0};
	struct config *c = NULL;
	struct err e = {0};

	if (config_parse(&c, text, strlen(text), FELLOE_SYSCONFDIR "/config.json", &p, &unknown, &e))
		fail_msg("%s", e.msg);
	problems_done(&p);
	problems_done(&unknown);
	return c;
}

static const char nightly[] = "{\"name\":\"nightly\",\"sites\":[\"*\"],\"what\":[\"files\"],\"on_calendar\":\"*-*-* 03:10\","
			      "\"spread\":\"5min\"}";

static void a_timer_first_takes_the_templates_calendar_away(void **state)
{
	CLEANUP(config_freep) struct config *c = config_of("", nightly);
	CLEANUP(buf_done) struct buf b;

	(void)state;
	buf_init(&b, 4096);
	dropin_timer(&b, &c->timers.v[0]);
	assert_string_equal(b.p + sizeof(head) - 1,
			    "[Timer]\nOnCalendar=\nOnCalendar=*-*-* 03:10\nRandomizedDelaySec=300s\n");
}

static void folders_of_storages_are_writable_and_quoted_for_systemd(void **state)
{
	CLEANUP(config_freep) struct config *c = config_of("", nightly);
	CLEANUP(buf_done) struct buf b;
	bool open;

	(void)state;
	buf_init(&b, 4096);
	dropin_service(&b, c, &c->timers.v[0], NULL, &open);
	assert_false(open);
	assert_string_equal(b.p + sizeof(head) - 1, "[Service]\nReadWritePaths=\"-/srv/50%% \\\"of\\\" it\"\n");
}

static void moved_paths_reach_the_service_by_its_environment(void **state)
{
	CLEANUP(config_freep) struct config *c = config_of("", nightly);
	CLEANUP(buf_done) struct buf b;
	bool open;

	(void)state;
	freep(&c->path);
	c->path = xstrdup("/opt/f/config.json");
	buf_init(&b, 4096);
	dropin_service(&b, c, &c->timers.v[0], "/opt/f/state", &open);
	assert_non_null(strstr(b.p, "Environment=\"FELLOE_CONFIG=/opt/f/config.json\"\n"));
	assert_non_null(strstr(b.p, "Environment=\"FELLOE_STATE=/opt/f/state\"\nReadWritePaths=\"/opt/f/state\"\n"));
}

static void hooks_take_the_sandbox_away(void **state)
{
	CLEANUP(config_freep) struct config *c = config_of(",\"hooks\":{\"before\":[\"/usr/bin/true\"]}", nightly);
	CLEANUP(buf_done) struct buf b;
	bool open;

	(void)state;
	buf_init(&b, 8192);
	dropin_service(&b, c, &c->timers.v[0], NULL, &open);
	assert_true(open);
	assert_non_null(strstr(b.p, "ProtectSystem=no\n"));
}

static void drop_ins_are_written_once_and_removed_when_their_timer_is_gone(void **state)
{
	CLEANUP(config_freep) struct config *c = config_of("", nightly);
	CLEANUP(config_freep) struct config *none = config_of("", "");
	char dir[] = "/tmp/felloe-units.XXXXXX";
	struct strings stale = {0};
	bool changed, open;
	struct err e = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	CLEANUP(freep) char *path = xasprintf("%s/felloe-backup@nightly.timer.d/10-felloe.conf", dir);
	CLEANUP(freep) char *own = xasprintf("%s/felloe-backup@nightly.timer.d/own.conf", dir);
	CLEANUP(freep) char *sub = xasprintf("%s/felloe-backup@nightly.timer.d", dir);
	assert_int_equal(dropin_write(dir, c, &c->timers.v[0], NULL, &changed, &open, &e), 0);
	assert_true(changed);
	assert_true(fs_exists(path));
	assert_int_equal(dropin_write(dir, c, &c->timers.v[0], NULL, &changed, &open, &e), 0);
	assert_false(changed);
	assert_int_equal(dropin_stale(dir, c, &stale, &e), 0);
	assert_int_equal(stale.n, 0);
	assert_int_equal(dropin_stale(dir, none, &stale, &e), 0);
	assert_int_equal(stale.n, 1);
	assert_string_equal(stale.v[0], "nightly");
	assert_int_equal(fs_write(own, "x", 1, 0644, &e), 0);
	assert_int_equal(dropin_remove(dir, "nightly", &e), 0);
	assert_false(fs_exists(path));
	assert_true(fs_exists(own)); /* an administrator's file stays */
	strings_done(&stale);
	assert_int_equal(dropin_stale(dir, none, &stale, &e), 0);
	assert_int_equal(stale.n, 0);
	unlink(own);
	rmdir(sub);
	assert_int_equal(rmdir(dir), 0);
}

static void the_agent_may_clean_up_on_storages(void **state)
{
	CLEANUP(config_freep) struct config *c = config_of("", nightly);
	CLEANUP(buf_done) struct buf b;
	char dir[] = "/tmp/felloe-units.XXXXXX";
	bool changed;
	struct err e = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	CLEANUP(freep) char *sub = xasprintf("%s/felloe-noded.service.d", dir);
	CLEANUP(freep) char *path = xasprintf("%s/10-felloe.conf", sub);
	assert_int_equal(dropin_write_agent(dir, c, NULL, &changed, &e), 0);
	assert_true(changed);
	assert_int_equal(dropin_write_agent(dir, c, NULL, &changed, &e), 0);
	assert_false(changed);
	buf_init(&b, 4096);
	assert_int_equal(fs_read(&b, path, &e), 0);
	assert_string_equal(b.p + sizeof(head) - 1, "[Service]\nReadWritePaths=\"-/srv/50%% \\\"of\\\" it\"\n");
	unlink(path);
	rmdir(sub);
	assert_int_equal(rmdir(dir), 0);
}

static void a_folder_that_is_not_there_has_no_stale_timers(void **state)
{
	CLEANUP(config_freep) struct config *c = config_of("", "");
	struct strings stale = {0};
	struct err e;

	(void)state;
	assert_int_equal(dropin_stale("/nonexistent/units", c, &stale, &e), 0);
	assert_int_equal(stale.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_first_takes_the_templates_calendar_away),
		cmocka_unit_test(folders_of_storages_are_writable_and_quoted_for_systemd),
		cmocka_unit_test(moved_paths_reach_the_service_by_its_environment),
		cmocka_unit_test(hooks_take_the_sandbox_away),
		cmocka_unit_test(drop_ins_are_written_once_and_removed_when_their_timer_is_gone),
		cmocka_unit_test(the_agent_may_clean_up_on_storages),
		cmocka_unit_test(a_folder_that_is_not_there_has_no_stale_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
