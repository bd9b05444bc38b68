/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/route.c"

#include "tests/unit.h"

static const struct route *look(const char *method, const char *path, struct req *r)
{
	memset(r, 0, sizeof(*r));
	return find(r, method, path);
}

static void each_row_is_found_by_its_own_path_and_with_a_last_slash(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *brace = strchr(table[i].path, '{');
		const char *after = brace ? strchr(brace, '}') + 1 : "";
		CLEANUP(freep) char *path = xasprintf("%s%.*s%s%s", table[i].root ? "" : base,
						      brace ? (int)(brace - table[i].path) : 999, table[i].path,
						      brace ? "1" : "", after);
		CLEANUP(freep) char *slashed = xasprintf("%s/", path);
		struct req r;

		assert_ptr_equal(look(table[i].method, path, &r), &table[i]);
		assert_string_equal(r.arg, brace ? "1" : "");
		assert_ptr_equal(look(table[i].method, slashed, &r), &table[i]);
	}
}

static void a_wrong_method_names_those_that_fit(void **state)
{
	struct req r;

	(void)state;
	assert_null(look("DELETE", "/api/v1/runs/x", &r));
	assert_string_equal(r.allow, "PUT, GET");
	assert_null(look("POST", "/health", &r));
	assert_string_equal(r.allow, "GET");
	assert_non_null(look("HEAD", "/health", &r));
}

static void what_is_not_in_the_table_is_nowhere(void **state)
{
	static const char *const paths[] = {
		"", "/", "//", "/api/v1", "/api/v1/", "/api/v1/health", "/nodes/1", "/api/v1/nodes//stats", "/api/v1/nodes/1/2",
		"/api/v1nodes", "/api/v2/nodes", "/api/v1/nodes/1/stats/", "/api/v1/nodes/1/stats/x", "/API/v1/nodes", "/healthy",
	};
	char long_id[400] = "/api/v1/runs/";
	struct req r;

	(void)state;
	memset(long_id + 13, 'a', 300);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const struct route *t = look("GET", paths[i], &r);

		if (i == 11) /* only a last slash */
			assert_non_null(t);
		else
			assert_null(t);
		assert_string_equal(r.allow, "");
	}
	assert_null(look("GET", long_id, &r));
}

static void every_row_that_changes_something_names_who_may(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		bool open = str_starts(table[i].path, "/auth/login") || str_starts(table[i].path, "/auth/refresh") ||
			    str_eq(table[i].path, "/openapi.json") ||
			    str_starts(table[i].path, "/nodes/join-request") || str_starts(table[i].path, "/nodes/status/") ||
			    (table[i].root && !str_eq(table[i].path, "/metrics"));

		assert_int_equal(table[i].role == ROLE_ALL, open);
		assert_non_null(table[i].handler);
		assert_true(strlen(table[i].summary) > 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_found_by_its_own_path_and_with_a_last_slash),
		cmocka_unit_test(a_wrong_method_names_those_that_fit),
		cmocka_unit_test(what_is_not_in_the_table_is_nowhere),
		cmocka_unit_test(every_row_that_changes_something_names_who_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
