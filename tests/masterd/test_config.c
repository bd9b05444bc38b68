/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/config.c"

#include <stdio.h>

#include "tests/unit.h"

static char dir[64], file[128];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s", "/tmp/felloe-config.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/master.json", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(dir);
}

static void put(const char *text, mode_t mode)
{
	struct err e = {0};

	assert_int_equal(fs_write(file, text, strlen(text), mode, &e), 0);
}

static void refused(const char *text, const char *why)
{
	CLEANUP(config_freep) struct config *c = NULL;
	CLEANUP(freep) char *want = xasprintf("%s: %s", file, why);
	struct err e = {0};

	put(text, 0600);
	assert_int_equal(config_load(&c, file, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.msg, want);
	assert_null(c);
}

#define SECRET "\"jwt_secret\":\"0123456789abcdef0123456789abcdef\""

static void what_is_written_is_read_back(void **state)
{
	struct config w = {.listen = (char[]){"127.0.0.1:9000"}, .database = (char[]){"sqlite:/x"}, .state_dir = (char[]){"/s"},
			   .jwt_secret = (char[]){"0123456789abcdef0123456789abcdef"}};
	CLEANUP(config_freep) struct config *c = NULL;
	struct stat st;
	struct err e = {0};

	(void)state;
	assert_int_equal(config_write(file, &w, &e), 0);
	assert_int_equal(config_load(&c, file, &e), 0);
	assert_string_equal(c->listen, "127.0.0.1:9000");
	assert_string_equal(c->database, "sqlite:/x");
	assert_null(c->user);
	assert_false(c->insecure_http);
	assert_int_equal(c->keep_raw_h, 24);
	assert_int_equal(c->keep_minute_d, 14);
	assert_int_equal(c->keep_hour_d, 730);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_secret_that_others_may_read_is_refused(void **state)
{
	CLEANUP(config_freep) struct config *c = NULL;
	struct err e = {0};

	(void)state;
	put("{" SECRET "}", 0644);
	assert_int_equal(config_load(&c, file, &e), -1);
	assert_non_null(strstr(e.msg, "jwt_secret: others may read "));
	assert_non_null(strstr(e.msg, ": chmod 600 "));
}

static void there_is_no_default_secret(void **state)
{
	(void)state;
	refused("{}", "jwt_secret: missing: felloe-masterd init makes one");
	refused("{\"jwt_secret\":\"short\"}", "jwt_secret: shorter than 32 characters");
}

static void plain_http_stays_on_loopback(void **state)
{
	CLEANUP(config_freep) struct config *c = NULL;
	struct err e = {0};

	(void)state;
	refused("{\"listen\":\"0.0.0.0:8443\",\"user\":\"nobody\"," SECRET "}",
		"listen: 0.0.0.0 is reachable from outside and there is no tls_cert: set tls_cert and tls_key "
		"(init --self-signed makes them), or insecure_http behind a TLS proxy");
	put("{\"listen\":\"[::]:8443\",\"user\":\"nobody\",\"insecure_http\":true," SECRET "}", 0600);
	assert_int_equal(config_load(&c, file, &e), 0);
}

static void each_problem_is_named_at_once(void **state)
{
	(void)state;
	refused("{\"lisen\":\"x\",\"listen\":\"localhost:1\",\"keep_raw_h\":0,\"limits\":{\"queue\":\"1\"}," SECRET "}",
		"lisen: is not known; did you mean \"listen\"?\n"
		"keep_raw_h: must be from 1 to 744, not 0\n"
		"limits.queue: must be a number, not text\n"
		"listen: \"localhost\" is not an IP address; write 127.0.0.1:8443 or [::]:8443");
}

static void root_is_nobody_for_strangers(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	refused("{\"listen\":\"[::]:8443\",\"insecure_http\":true," SECRET "}",
		"user: missing: root's rights are not for what strangers can reach; name whom to become");
	refused("{\"listen\":\"[::]:8443\",\"user\":\"root\",\"insecure_http\":true," SECRET "}",
		"user: is root: root's rights are not for what strangers can reach");
}

static void a_state_directory_that_everybody_may_write_to_is_refused(void **state)
{
	CLEANUP(freep) char *text = xasprintf("{\"state_dir\":\"%s\"," SECRET "}", dir);
	CLEANUP(freep) char *why = xasprintf("state_dir: everybody may write to %s: chmod o-w %s", dir, dir);

	(void)state;
	assert_int_equal(chmod(dir, 0777), 0);
	refused(text, why);
	assert_int_equal(chmod(dir, 0700), 0);
}

static void proxies_are_named_one_by_one(void **state)
{
	CLEANUP(config_freep) struct config *c = NULL;
	struct err e = {0};

	(void)state;
	refused("{\"trusted_proxies\":[\"0.0.0.0/0\",\"10.0.0.0/33\",7],\"proxy_header\":\"X-Real-IP\"," SECRET "}",
		"trusted_proxies[0]: \"0.0.0.0/0\" would believe nearly everybody: name the addresses of your proxies\n"
		"trusted_proxies[1]: must be an IP address or a net such as 10.0.0.0/8\n"
		"trusted_proxies[2]: must be an IP address or a net such as 10.0.0.0/8\n"
		"proxy_header: \"X-Real-IP\" is neither X-Forwarded-For nor Forwarded");
	put("{\"trusted_proxies\":[\"10.0.0.7\",\"fd00::/64\"],\"proxy_header\":\"forwarded\"," SECRET "}", 0600);
	assert_int_equal(config_load(&c, file, &e), 0);
	assert_int_equal(c->trusted_proxies.n, 2);
	assert_true(c->rfc7239);
}

static void half_a_pair_and_missing_files_are_told(void **state)
{
	(void)state;
	refused("{\"tls_cert\":\"/nonexistent/c\"," SECRET "}",
		"tls_key: missing: tls_cert and tls_key belong together\ntls_cert: /nonexistent/c cannot be read");
}

static void addresses_are_taken_apart(void **state)
{
	char host[64];
	uint16_t port;
	struct err e = {0};

	(void)state;
	assert_int_equal(config_listen("[::1]:8443", host, sizeof(host), &port, &e), 0);
	assert_string_equal(host, "::1");
	assert_int_equal(port, 8443);
	assert_true(config_is_loopback(host));
	assert_int_equal(config_listen("10.0.0.1:0", host, sizeof(host), &port, &e), -1);
	assert_int_equal(config_listen("10.0.0.1", host, sizeof(host), &port, &e), -1);
	assert_int_equal(config_listen("10.0.0.1:65536", host, sizeof(host), &port, &e), -1);
}

static void a_file_that_is_not_there_says_how_to_make_it(void **state)
{
	CLEANUP(config_freep) struct config *c = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(config_load(&c, "/nonexistent/master.json", &e), -1);
	assert_string_equal(e.msg, "/nonexistent/master.json does not exist: felloe-masterd init writes it");
}

#define with_dir(f) cmocka_unit_test_setup_teardown(f, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_dir(what_is_written_is_read_back),
		with_dir(a_secret_that_others_may_read_is_refused),
		with_dir(there_is_no_default_secret),
		with_dir(plain_http_stays_on_loopback),
		with_dir(each_problem_is_named_at_once),
		with_dir(root_is_nobody_for_strangers),
		with_dir(a_state_directory_that_everybody_may_write_to_is_refused),
		with_dir(proxies_are_named_one_by_one),
		with_dir(half_a_pair_and_missing_files_are_told),
		with_dir(addresses_are_taken_apart),
		with_dir(a_file_that_is_not_there_says_how_to_make_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
