/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/facts.c"

#include "tests/unit.h"

static int parse(struct facts *f, struct json **rest, const char *text, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, 1 << 20);
	buf_adds(&b, text);
	return facts_parse(f, rest, &b, e);
}

static void the_lists_are_told_apart_from_the_rest(void **state)
{
	static const char text[] =
		"{\"format\": \"felloe-archive 1\", \"tables\": [{\"name\": \"not this\"}], \"run\": \"r]{\\\"tables\\\":[\",\n"
		"\"database\": {\"name\": \"shop\", \"snapshot\": {\"tables\": [1, 2]}, \"tables\": [\n"
		"{\"name\": \"a\\\"]}\", \"data\": true, \"rows\": 7, \"digest\": \"000102030405060708090a0b0c0d0e0f\", \"select\": \"`x`\"} ,\n"
		"{\"name\": \"b\", \"data\": false, \"select\": \"`x`\", \"more\": [{\"deep\": [\"}\"]}]},{\"name\":\"c\"} ],"
		"\"triggers_of\": [{\"table\": \"a\", \"name\": \"t\", \"member\": \"db/t.sql\"}], \"views\": 3},\n"
		"\"files\": {\"tables\": [], \"roots\": [\"/srv\"]}}";
	CLEANUP(json_freep) struct json *rest = NULL;
	CLEANUP(facts_done) struct facts f = {0};
	const struct json *db;
	struct err e;

	(void)state;
	assert_int_equal(parse(&f, &rest, text, &e), 0);
	assert_int_equal(f.tables.n, 3);
	assert_string_equal(f.tables.v[0].name, "a\"]}");
	assert_int_equal(f.tables.v[0].rows, 7);
	assert_true(f.tables.v[0].data && f.tables.v[0].has_digest);
	assert_int_equal(f.tables.v[0].digest[15], 15);
	assert_false(f.tables.v[1].data || f.tables.v[1].has_digest);
	assert_ptr_equal(f.tables.v[0].select, f.tables.v[1].select);
	assert_string_equal(f.tables.v[2].select, "*");
	assert_int_equal(f.tables.v[2].rows, -1);
	assert_true(f.tables.v[2].data);
	assert_int_equal(f.triggers.n, 1);
	assert_string_equal(f.triggers.v[0].member, "db/t.sql");
	assert_string_equal(json_get_str(rest, "run", ""), "r]{\"tables\":[");
	assert_int_equal(json_count(json_get(rest, "tables")), 1);
	db = json_get(rest, "database");
	assert_int_equal(json_get_int(db, "views", 0), 3);
	assert_int_equal(json_count(json_get(db, "tables")), 0);
	assert_int_equal(json_count(json_get(json_get(db, "snapshot"), "tables")), 2);
	assert_int_equal(json_count(json_get(json_get(rest, "files"), "roots")), 1);
}

static void lists_may_be_empty_or_absent(void **state)
{
	static const char *const texts[] = {
		"{\"database\":{\"tables\":[],\"triggers_of\":[ ]}}", "{\"database\":null,\"files\":{}}", "{}", "[]", " 1 ",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(json_freep) struct json *rest = NULL;
		CLEANUP(facts_done) struct facts f = {0};
		struct err e;

		assert_int_equal(parse(&f, &rest, texts[i], &e), 0);
		assert_int_equal(f.tables.n + f.triggers.n, 0);
	}
}

static void what_is_not_json_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "{\"database\":{\"tables\":[", "{\"database\":{\"tables\":[{\"name\":\"a\"}", "{\"database\":{\"tables\":[{\"name\":\"a\"},",
		"{\"database\":{\"tables\":[{\"name\":\"a\"}}}", "{\"database\":{\"tables\":[{\"name\":\"a\"},]}}",
		"{\"database\":{\"tables\":[{\"name\":\"a\"} {\"name\":\"b\"}]}}", "{\"database\":{\"tables\":[,]}}",
		"{\"database\":{\"tables\":[1]}}", "{\"database\":{\"tables\":[{\"name\":]}}", "{\"database\":{\"tables\":[{\"na",
		"{\"database\":{\"tables\":[]}", "{\"database\":{\"tables\":[]}}}", "{\"x\":\"\\", "}]", "{\"database\":{\"tables\":[{\"a\":\"\\",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct json *rest = NULL;
		struct facts f = {0};
		struct err e;

		if (parse(&f, &rest, texts[i], &e) != -1 || e.kind != ERR_INVALID || rest || f.tables.n)
			fail_msg("%s", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lists_are_told_apart_from_the_rest),
		cmocka_unit_test(lists_may_be_empty_or_absent),
		cmocka_unit_test(what_is_not_json_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
