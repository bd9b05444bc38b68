/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/config.c"
#include "noded/config_check.c"

#include "shared/log.h"
#include "tests/unit.h"

struct parsed {
	struct config *c;
	struct problems problems, unknown;
	struct err e;
	int rc;
};

static struct parsed parse(const char *text)
{
	struct parsed p = {0};

	p.rc = config_parse(&p.c, text, strlen(text), "c.json", &p.problems, &p.unknown, &p.e);
	return p;
}

static void done(struct parsed *p)
{
	config_free(p->c);
	problems_done(&p->problems);
	problems_done(&p->unknown);
}

static bool says(const struct problems *p, const char *path, const char *part)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->v[i].path, path) && strstr(p->v[i].msg, part))
			return true;
	for (size_t i = 0; i < p->n; i++)
		print_message("have: %s: %s\n", p->v[i].path, p->v[i].msg);
	print_message("want: %s: ...%s...\n", path, part);
	return false;
}

#define FIELD_FORMAT \
	"{\"sites\":[{\"name\":\"shop\",\"wp_config_path\":\"/var/www/shop/wp-config.php\"," \
	"\"wp_content_path\":\"/var/www/shop/wp-content\",\"db_host\":\"localhost\",\"db_name\":\"shop\"," \
	"\"db_user\":\"u\",\"db_password\":\"p\\u0020w\"}]," \
	"\"storage\":[{\"name\":\"idrive\",\"type\":\"s3\",\"endpoint\":\"x1.example.net\",\"region\":\"eu-west-3\"," \
	"\"access_key\":\"AK\",\"secret_key\":\"SK\",\"bucket\":\"b\",\"weight\":80,\"storage_limit_gb\":50}]}"

static void a_file_of_the_field_with_only_sites_and_storage_loads_unchanged(void **state)
{
	struct parsed p = parse(FIELD_FORMAT);
	char host[256] = "";

	(void)state;
	gethostname(host, sizeof(host) - 1);
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.unknown.n, 0);
	assert_string_equal(p.c->server_id, host);
	assert_string_equal(p.c->sites.v[0].db.password, "p w");
	assert_string_equal(p.c->sites.v[0].db.ssl, "prefer");
	assert_true(p.c->storages.v[0].path_style);
	assert_int_equal(p.c->storages.v[0].weight, 80);
	assert_int_equal(p.c->storages.v[0].limit_bytes, 50000000000);
	assert_int_equal(p.c->timers.n, 0);
	assert_int_equal(p.c->lock_wait_s, 600);
	assert_int_equal(p.c->heartbeat_s, 10);
	assert_string_equal(p.c->master.url, "");
	assert_int_equal(p.c->allow_requests.n, 2);
	done(&p);
}

static void path_style_is_off_only_on_amazonaws_com(void **state)
{
	(void)state;
	assert_false(default_path_style("s3.eu-west-3.amazonaws.com"));
	assert_false(default_path_style("https://s3.amazonaws.com:443/x"));
	assert_true(default_path_style("s3.amazonaws.com.example.net"));
	assert_true(default_path_style("http://127.0.0.1:9000"));
}

static void bad_json_is_named_by_line_and_column(void **state)
{
	struct parsed p = parse("{\n  \"sites\": [,]\n}");

	(void)state;
	assert_int_equal(p.rc, -1);
	assert_int_equal(p.e.kind, ERR_CONFIG);
	assert_non_null(strstr(p.e.msg, "c.json: line 2, column 13"));
	done(&p);
	p = parse("{\"server_id\":\"a\",\n\"server_id\":\"b\"}");
	assert_int_equal(p.rc, -1);
	assert_non_null(strstr(p.e.msg, "line 2"));
	done(&p);
	p = parse("[]");
	assert_int_equal(p.rc, -1);
	done(&p);
	p = parse("");
	assert_int_equal(p.rc, -1);
	done(&p);
}

static void all_problems_are_told_at_once_with_their_paths(void **state)
{
	struct parsed p = parse("{\"server_id\":7,\"heartbeat_s\":0,\"limits\":{\"lock_wait_s\":\"x\"},\"encrypt_to\":[\"age1x\"],"
				"\"copies\":2,\"master\":{\"url\":\"ftp://x\",\"pin_sha256\":\"short\"},"
				"\"sites\":[{\"name\":\"a b\",\"db_name\":\"x\",\"db_host\":\"h:99999\"},"
				"{\"name\":\"s\"},{\"name\":\"s\",\"paths\":[\"etc\",\"\"],\"db_ssl\":\"no\"},5],"
				"\"storage\":[{\"name\":\"d\",\"type\":\"dir\"},{\"name\":\"d\",\"type\":\"s3\",\"weight\":-1},"
				"{\"name\":\"e\",\"type\":\"ftp\"}],"
				"\"timers\":[{\"name\":\"t\",\"sites\":[\"nope\"],\"what\":[\"db\",\"mail\"],\"spread\":\"soon\"}]}");
	static const struct { const char *path, *part; } wanted[] = {
		{"server_id", ""}, {"heartbeat_s", ""}, {"limits.lock_wait_s", ""}, {"encrypt_to", "not part"},
		{"copies", "only 1"}, {"master.url", "\"ftp:...\""}, {"master.pin_sha256", "44"},
		{"sites[0].name", "\"a b\""}, {"sites[0].db_host", "\"h:99999\""}, {"sites[1]", "nothing to back up"},
		{"sites[2].name", "sites[1] already"}, {"sites[2].paths[0]", "\"etc\""}, {"sites[2].paths[1]", "not empty"},
		{"sites[2].db_ssl", "off, prefer, verify"}, {"sites[3]", "object"}, {"storage[0].path", "missing"},
		{"storage[1].name", "storage[0] already"}, {"storage[1].endpoint", "missing"},
		{"storage[1].secret_key", "missing"}, {"storage[1].weight", ""}, {"storage[2].type", "\"ftp\""},
		{"timers[0].on_calendar", "missing"}, {"timers[0].sites[0]", "\"nope\""},
		{"timers[0].what", "\"mail\""}, {"timers[0].spread", "\"soon\""},
	};

	(void)state;
	assert_int_equal(p.rc, -1);
	assert_int_equal(p.e.kind, ERR_CONFIG);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		assert_true(says(&p.problems, wanted[i].path, wanted[i].part));
	assert_non_null(strstr(p.e.msg, "more)"));
	done(&p);
}

static void an_unknown_key_is_told_with_the_nearest_name_and_is_no_problem(void **state)
{
	struct parsed p = parse("{\"sites\":[{\"name\":\"s\",\"db_nmae\":\"x\",\"paths\":[\"/etc\"]}],\"storag\":[]}");

	(void)state;
	assert_int_equal(p.rc, 0);
	assert_int_equal(p.problems.n, 0);
	assert_true(says(&p.unknown, "storag", "storage"));
	assert_true(says(&p.unknown, "sites[0].db_nmae", "db_name"));
	done(&p);
}

static void hosts_are_taken_as_php_takes_them(void **state)
{
	static const char *const good[] = {"", "localhost", "db.example.net", "a:3307", "localhost:/run/x.sock", "/run/x.sock",
					   "[::1]:3306", "[::1]", "::1", "10.0.0.1:1"};
	static const char *const bad[] = {"a:0", "a:65536", "a:x", "a b", "a/b", "a:3306/x", "a\"b"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!host_ok(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (host_ok(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

static void spans_are_read_as_systemd_writes_them(void **state)
{
	int64_t s = -1;

	(void)state;
	assert_int_equal(config_span(&s, "5min"), 0);
	assert_int_equal(s, 300);
	assert_int_equal(config_span(&s, "1h 30min"), 0);
	assert_int_equal(s, 5400);
	assert_int_equal(config_span(&s, "90"), 0);
	assert_int_equal(s, 90);
	assert_int_equal(config_span(&s, "2d12h"), 0);
	assert_int_equal(s, 216000);
	assert_int_equal(config_span(&s, ""), -1);
	assert_int_equal(config_span(&s, "5 apples"), -1);
	assert_int_equal(config_span(&s, "99999999999999999999"), -1);
	assert_int_equal(config_span(&s, "-5min"), -1);
}

static void storages_are_tried_by_weight_and_a_drained_one_never(void **state)
{
	struct parsed p = parse("{\"storage\":[{\"name\":\"a\",\"type\":\"dir\",\"path\":\"/a\",\"weight\":10},"
				"{\"name\":\"z\",\"type\":\"dir\",\"path\":\"/z\",\"weight\":0},"
				"{\"name\":\"b\",\"type\":\"dir\",\"path\":\"/b\"},{\"name\":\"c\",\"type\":\"dir\",\"path\":\"/c\"}]}");
	struct storage_order order;

	(void)state;
	assert_int_equal(p.rc, 0);
	config_storage_order(p.c, &order);
	assert_int_equal(order.n, 3);
	assert_string_equal(order.v[0]->name, "b");
	assert_string_equal(order.v[1]->name, "c");
	assert_string_equal(order.v[2]->name, "a");
	list_done(&order);
	done(&p);
}

static void a_timer_has_its_defaults_and_its_rules(void **state)
{
	struct parsed p = parse("{\"sites\":[{\"name\":\"s\",\"paths\":[\"/etc\"]}],\"timers\":["
				"{\"name\":\"n\",\"on_calendar\":\"daily\"},"
				"{\"name\":\"m\",\"sites\":[\"s\"],\"on_calendar\":\"daily\",\"what\":[\"db\"],\"spread\":\"5min\","
				"\"keep\":{\"daily\":14}}]}");

	(void)state;
	assert_int_equal(p.rc, 0);
	assert_true(p.c->timers.v[0].db && p.c->timers.v[0].files);
	assert_string_equal(p.c->timers.v[0].sites.v[0], "*");
	assert_false(p.c->timers.v[0].keep.given);
	assert_false(p.c->timers.v[1].files);
	assert_int_equal(p.c->timers.v[1].spread_s, 300);
	assert_int_equal(p.c->timers.v[1].keep.daily, 14);
	assert_ptr_equal(config_timer(p.c, "m"), &p.c->timers.v[1]);
	assert_null(config_timer(p.c, "x"));
	done(&p);
}

static void a_missing_file_is_an_error_that_helps(void **state)
{
	struct problems problems = {0}, unknown = {0};
	struct config *c = NULL;
	struct err e;

	(void)state;
	assert_int_equal(config_load(&c, "/nonexistent/config.json", &problems, &unknown, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.msg, "/nonexistent/config.json: there is no such file"));
	assert_null(c);
	assert_int_equal(config_load(&c, "/", &problems, &unknown, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
}

/* Every cut of a good file is either refused or read, never a crash. */
static void no_cut_of_a_file_does_harm(void **state)
{
	const char *whole = FIELD_FORMAT;

	(void)state;
	for (size_t n = 0; n < strlen(whole); n++) {
		struct parsed p = {0};

		p.rc = config_parse(&p.c, whole, n, "c.json", &p.problems, &p.unknown, &p.e);
		assert_int_equal(p.rc, -1);
		assert_null(p.c);
		done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_of_the_field_with_only_sites_and_storage_loads_unchanged),
		cmocka_unit_test(path_style_is_off_only_on_amazonaws_com),
		cmocka_unit_test(bad_json_is_named_by_line_and_column),
		cmocka_unit_test(all_problems_are_told_at_once_with_their_paths),
		cmocka_unit_test(an_unknown_key_is_told_with_the_nearest_name_and_is_no_problem),
		cmocka_unit_test(hosts_are_taken_as_php_takes_them),
		cmocka_unit_test(spans_are_read_as_systemd_writes_them),
		cmocka_unit_test(storages_are_tried_by_weight_and_a_drained_one_never),
		cmocka_unit_test(a_timer_has_its_defaults_and_its_rules),
		cmocka_unit_test(a_missing_file_is_an_error_that_helps),
		cmocka_unit_test(no_cut_of_a_file_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
