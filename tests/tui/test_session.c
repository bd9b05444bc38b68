/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/session.c"

#include <stdio.h>

#include "tests/unit.h"

static char dir[] = "/tmp/felloe-session-XXXXXX";

static struct session full(void)
{
	return (struct session){.master = xstrdup("https://master.example.net"), .pin = xstrdup("sha256//AAAA"),
				.user = xstrdup("admin"), .role = xstrdup("viewer"), .access = xstrdup("token"),
				.refresh = xstrdup("again"), .expires = 1795439002000, .in_file = true};
}

static void what_is_saved_is_read_again(void **state)
{
	struct session s = full(), got;
	struct err e;

	(void)state;
	assert_int_equal(session_save(&s, &e), 0);
	assert_int_equal(session_load(&got, &e), 0);
	assert_string_equal(got.master, s.master);
	assert_string_equal(got.pin, s.pin);
	assert_string_equal(got.access, "token");
	assert_string_equal(got.refresh, "again");
	assert_int_equal(got.expires, s.expires);
	assert_true(got.in_file);
	session_done(&got);
	session_done(&s);
}

static void the_console_keeps_its_tokens_out_of_the_file(void **state)
{
	struct session s = full(), got;
	struct err e;

	(void)state;
	s.in_file = false;
	assert_int_equal(session_save(&s, &e), 0);
	assert_int_equal(session_load(&got, &e), 0);
	assert_string_equal(got.user, "admin");
	assert_null(got.access);
	assert_null(got.refresh);
	session_done(&got);
	session_done(&s);
}

static void a_file_that_others_may_read_is_refused(void **state)
{
	CLEANUP(freep) char *path = config_path("session");
	struct session s = full(), got;
	struct err e;

	(void)state;
	assert_int_equal(session_save(&s, &e), 0);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(session_load(&got, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.msg, "chmod 600"));
	assert_int_equal(chmod(path, 0600), 0);
	session_done(&s);
}

static void a_damaged_file_tells_the_way_out(void **state)
{
	struct session got;
	char path[128];
	struct err e;

	(void)state;
	snprintf(path, sizeof(path), "%s/felloe/session", dir);
	assert_int_equal(fs_write(path, "{\"master\":", 10, 0600, &e), 0);
	assert_int_equal(session_load(&got, &e), -1);
	assert_non_null(strstr(e.msg, "line 1, column "));
	assert_non_null(strstr(e.msg, "remove it and sign in again"));
}

static void another_master_gets_neither_tokens_nor_pin(void **state)
{
	struct session s = full();

	(void)state;
	session_replace(&s, "https://other.example.net", NULL, NULL);
	assert_null(s.access);
	assert_null(s.refresh);
	assert_null(s.pin);
	assert_false(s.in_file);
	assert_string_equal(s.user, "admin");
	session_done(&s);
}

static void without_tokens_nothing_is_sent(void **state)
{
	struct session s = {0};
	struct client_reply r;
	struct err e;

	(void)state;
	assert_int_equal(session_do(&s, NULL, &(struct session_call){.method = "GET", .path = "/nodes/"}, &r, &e), -1);
	assert_int_equal(e.kind, ERR_DENIED);
	assert_string_equal(e.msg, "not signed in; run: felloe login");
	assert_int_equal(session_client(&s, &(struct client *){NULL}, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_saved_is_read_again),
		cmocka_unit_test(the_console_keeps_its_tokens_out_of_the_file),
		cmocka_unit_test(a_file_that_others_may_read_is_refused),
		cmocka_unit_test(a_damaged_file_tells_the_way_out),
		cmocka_unit_test(another_master_gets_neither_tokens_nor_pin),
		cmocka_unit_test(without_tokens_nothing_is_sent),
	};
	char path[128];
	int failed;

	if (!mkdtemp(dir))
		return 77;
	setenv("XDG_CONFIG_HOME", dir, 1);
	failed = cmocka_run_group_tests_name("session", tests, NULL, NULL);
	snprintf(path, sizeof(path), "%s/felloe/session", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/felloe", dir);
	rmdir(path);
	rmdir(dir);
	return failed;
}
