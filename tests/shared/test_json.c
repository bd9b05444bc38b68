/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/json.c"

#include <unistd.h>

#include "tests/unit.h"

static struct err e;

static struct json *parsed(const char *text)
{
	struct json *j = NULL;

	if (json_parse(&j, text, strlen(text), &e))
		fail_msg("%s", e.msg);
	return j;
}

static void a_bad_text_is_refused_with_its_line_and_column(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "line 1, column 1: the text ends too early"},
		{"{\n \"k\" 1}", "line 2, column 6: expected :"},
		{"[1,]", "line 1, column 4: expected a value"},
		{"[1 2]", "line 1, column 4: expected , or ]"},
		{"{\"a\":1,}", "line 1, column 8: the comma before this } is one too many"},
		{"{a:1}", "line 1, column 2: expected a key in double quotes"},
		{"[1]\n x", "line 2, column 2: something stands after the end of the value"},
		{"[\"\xc3\xa9\", tru]", "line 1, column 7: expected a value"},
		{"01", "line 1, column 2: a number does not start with 0"},
		{"-", "line 1, column 2: expected a digit"},
		{"1.", "line 1, column 3: expected a digit after the point"},
		{"1e+", "line 1, column 4: expected a digit in the exponent"},
		{"\"a\nb\"", "line 1, column 3: a line end or control character inside a text"},
		{"\"a", "line 1, column 3: a text is not ended by \""},
		{"\"\\x\"", "line 1, column 3: unknown escape after \\"},
		{"\"\\u12g4\"", "line 1, column 6: expected four hex digits after \\u"},
		{"\"\\u0000\"", "line 1, column 8: a text cannot hold the NUL character"},
		{"\"\\ud83d\"", "line 1, column 8: half a surrogate pair"},
		{"\"\\ude00\"", "line 1, column 8: half a surrogate pair"},
		{"[\"a\xff\"]", "line 1, column 4: not valid UTF-8"},
		{"\xef\xbb\xbf{}", "line 1, column 1: expected a value"},
		{"{\"a\":1,\"b\":{\"c\":2,\"\\u0063\":3}}", "line 1, column 19: this key stands twice in its object"},
		{"[{\"a\":1},{\"a\":1,\n\"b\":[],\"a\":1}]", "line 2, column 8: this key stands twice in its object"},
		{"NaN", "line 1, column 1: expected a value"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct json *j = NULL;

		assert_int_equal(json_parse(&j, bad[i].text, strlen(bad[i].text), &e), -1);
		assert_int_equal(e.kind, ERR_INVALID);
		assert_string_equal(e.msg, bad[i].why);
		assert_null(j);
	}
}

static void a_nul_byte_in_the_text_is_not_its_end(void **state)
{
	struct json *j = NULL;

	(void)state;
	assert_int_equal(json_parse(&j, "1\0", 2, &e), -1);
	assert_int_equal(json_parse(&j, "\"\0\"", 3, &e), -1);
}

static void nesting_ends_at_32_levels(void **state)
{
	char text[80];
	struct json *j = NULL;

	(void)state;
	memset(text, '[', 32);
	memset(text + 32, ']', 32);
	assert_int_equal(json_parse(&j, text, 64, &e), 0);
	json_free(j);
	memset(text, '[', 33);
	memset(text + 33, ']', 33);
	assert_int_equal(json_parse(&j, text, 66, &e), -1);
	assert_string_equal(e.msg, "line 1, column 33: nested deeper than 32 levels");
}

static void every_prefix_of_a_good_text_is_refused_or_whole(void **state)
{
	static const char text[] = "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9\\ud83d\\ude00\"],\"b\":{}}";

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		CLEANUP(freep) char *exact = xmemdup(text, n); /* so that a read past the end is seen */
		struct json *j = NULL;

		assert_int_equal(json_parse(&j, exact, n, &e), -1);
	}
}

static void looking_into_the_wrong_type_gives_the_empty_answer(void **state)
{
	struct json *j = parsed("{\"n\":5,\"s\":\"x\",\"b\":true,\"N\":6,\"big\":1e300,\"t\":\"2026-11-23T03:10:00Z\"}");

	(void)state;
	assert_null(json_get(NULL, "x"));
	assert_null(json_get(json_get(j, "n"), "x"));
	assert_null(json_str(json_get(j, "n")));
	assert_int_equal(json_get_int(j, "n", -1), 5);
	assert_int_equal(json_get_int(j, "N", -1), 6);
	assert_int_equal(json_get_int(j, "s", -1), -1);
	assert_int_equal(json_get_int(j, "big", -1), (int64_t)1 << 53);
	assert_string_equal(json_get_str(j, "n", "none"), "none");
	assert_true(json_get_bool(j, "b", false));
	assert_true(json_get_bool(j, "n", true));
	assert_int_equal(json_get_time(j, "t"), 1795403400000);
	assert_int_equal(json_get_time(j, "s"), 0);
	assert_int_equal(json_count(j), 6);
	assert_int_equal(json_count(json_get(j, "s")), 0);
	json_free(j);
}

static void all_problems_are_named_at_once_with_their_paths(void **state)
{
	struct json *j = parsed("{\"port\":70000,\"name\":7,\"on\":\"yes\",\"half\":1.5,\"at\":\"noon\",\"gone\":null,\"prot\":1}");
	static const char *const known[] = {"port", "name", "on", "half", "at", "gone"};
	static const struct problem want[] = {
		{"a[0].port", "must be from 1 to 65535, not 70000"},
		{"a[0].name", "must be text, not a number"},
		{"a[0].on", "must be true or false, not text"},
		{"a[0].half", "must be a whole number, not 1.5"},
		{"a[0].at", "must be a time like 2026-11-23T03:10:00Z, not \"noon\""},
		{"a[0].gone", "is missing"},
		{"a[0].prot", "is not known; did you mean \"port\"?"},
	};
	struct problems p = {0};
	int64_t i = -7;
	const char *s = "as it was";
	bool b = true;

	(void)state;
	assert_false(json_want_int(j, "a[0]", "port", true, 1, 65535, &i, &p));
	assert_false(json_want_str(j, "a[0]", "name", true, &s, &p));
	assert_false(json_want_bool(j, "a[0]", "on", &b, &p));
	assert_false(json_want_int(j, "a[0]", "half", true, 0, 9, &i, &p));
	assert_false(json_want_time(j, "a[0]", "at", true, &i, &p));
	assert_null(json_want(j, "a[0]", "gone", JSON_ARRAY, true, &p));
	assert_false(json_want_str(j, "a[0]", "gone", false, &s, &p));
	json_unknown(j, "a[0]", known, ARRAY_LEN(known), &p);
	assert_int_equal(p.n, ARRAY_LEN(want));
	for (size_t k = 0; k < p.n; k++) {
		assert_string_equal(p.v[k].path, want[k].path);
		assert_string_equal(p.v[k].msg, want[k].msg);
	}
	assert_int_equal(i, -7);
	assert_string_equal(s, "as it was");
	problems_done(&p);
	json_free(j);
}

static void right_members_are_taken(void **state)
{
	struct json *j = parsed("{\"port\":65535,\"rate\":0.5,\"l\":[1]}");
	struct problems p = {0};
	int64_t i = 0;
	double d = 0;

	(void)state;
	assert_true(json_want_int(j, "", "port", true, 1, 65535, &i, &p));
	assert_int_equal(i, 65535);
	assert_true(json_want_num(j, "", "rate", true, 0, 1, &d, &p));
	assert_true(d > 0.49 && d < 0.51);
	assert_non_null(json_want(j, "", "l", JSON_ARRAY, true, &p));
	assert_int_equal(p.n, 0);
	assert_null(json_want(j, "", "absent", JSON_ARRAY, true, &p));
	assert_string_equal(p.v[0].path, "absent");
	problems_done(&p);
	json_free(j);
}

static void a_strange_key_cannot_steer_a_terminal(void **state)
{
	struct json *j = parsed("{\"\\u001b[2J\":1}");
	struct problems p = {0};

	(void)state;
	json_unknown(j, "", NULL, 0, &p);
	assert_string_equal(p.v[0].path, "?[2J");
	problems_done(&p);
	json_free(j);
}

static void what_steers_a_terminal_leaves_escaped_and_reads_back_as_it_was(void **state)
{
	static const char text[] = "\x1b[31m \xc2\x9b" "31m \x7f \xe2\x80\xae \xf3\xa0\x80\x81 \xe3\x83\x8e \xf0\x9f\x98\x80";
	CLEANUP(buf_done) struct buf b;
	struct json_out o;
	struct json *j;

	(void)state;
	buf_init(&b, 1000);
	json_out_init(&o, &b);
	json_put_str(&o, NULL, text);
	assert_string_equal(b.p, "\"\\u001b[31m \\u009b31m \\u007f \\u202e \\udb40\\udc01 \xe3\x83\x8e \xf0\x9f\x98\x80\"");
	j = parsed(b.p);
	assert_string_equal(json_str(j), text);
	json_free(j);
}

static void commas_and_escapes_are_placed_by_the_writer(void **state)
{
	CLEANUP(buf_done) struct buf b;
	struct json_out o;

	(void)state;
	buf_init(&b, 1000);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "q\"", "a\\\n\x01\xc3\xa9");
	json_put_str(&o, "none", NULL);
	json_arr(&o, "l");
	json_put_int(&o, NULL, INT64_MIN);
	json_put_num(&o, NULL, 0.1);
	json_put_num(&o, NULL, NAN);
	json_put_bool(&o, NULL, true);
	json_obj(&o, NULL);
	json_end_obj(&o);
	json_end_arr(&o);
	json_put_time(&o, "t", 1795403400000);
	json_put_time(&o, "t0", 0);
	json_put_strn(&o, "bad", "\xff" "a\xc3", 3);
	json_end_obj(&o);
	assert_string_equal(b.p, "{\"q\\\"\":\"a\\\\\\n\\u0001\xc3\xa9\",\"none\":null,"
				 "\"l\":[-9223372036854775808,0.1,null,true,{}],\"t\":\"2026-11-23T03:10:00Z\","
				 "\"t0\":null,\"bad\":\"\xef\xbf\xbd" "a\xef\xbf\xbd\"}");
}

static void numbers_read_back_as_they_were(void **state)
{
	static const double is[] = {0, -0.5, 0.1, 1e22, 1.7976931348623157e308, 5e-324, 1234567890123456, 1.0 / 3};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(is); i++) {
		CLEANUP(buf_done) struct buf b;
		struct json_out o;
		struct json *j;

		buf_init(&b, 100);
		json_out_init(&o, &b);
		json_put_num(&o, NULL, is[i]);
		j = parsed(b.p);
		assert_memory_equal(&(double){json_num(j)}, &is[i], sizeof(double));
		json_free(j);
	}
}

static void a_document_written_again_is_the_same(void **state)
{
	static const char text[] = "{\"a\":[1,2.5,{\"x\":\"\xc3\xa9\"},[]],\"b\":{\"c\":null,\"d\":false}}";
	static const char pretty[] = "{\n  \"a\": [\n    1,\n    {}\n  ]\n}\n";
	CLEANUP(buf_done) struct buf b;
	struct json *j = parsed(text);
	struct json_out o;

	(void)state;
	buf_init(&b, 1000);
	json_out_init(&o, &b);
	json_put(&o, NULL, j);
	assert_string_equal(b.p, text);
	json_free(j);
	j = parsed("{\"a\":[1,{}]}");
	buf_reset(&b);
	json_out_init(&o, &b);
	o.pretty = true;
	json_put(&o, NULL, j);
	assert_string_equal(b.p, pretty);
	json_free(j);
}

static void writing_too_deep_is_an_error_not_a_crash(void **state)
{
	CLEANUP(buf_done) struct buf b;
	struct json_out o;

	(void)state;
	buf_init(&b, 1000);
	json_out_init(&o, &b);
	for (int i = 0; i < 60; i++)
		json_arr(&o, NULL);
	for (int i = 0; i < 60; i++)
		json_end_arr(&o);
	assert_int_equal(buf_check(&b, "reply", &e), -1);
}

static void a_file_puts_its_path_in_front(void **state)
{
	char path[] = "/tmp/felloe-test-json.XXXXXX";
	CLEANUP(freep) char *want = NULL;
	struct json *j = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fs_write_all(fd, "{\n!", 3, &e), 0);
	close(fd);
	assert_int_equal(json_parse_file(&j, path, 100, &e), -1);
	want = xasprintf("%s: line 2, column 1: expected a key in double quotes", path);
	assert_string_equal(e.msg, want);
	assert_int_equal(json_parse_file(&j, path, 2, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	unlink(path);
	assert_int_equal(json_parse_file(&j, path, 2, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_text_is_refused_with_its_line_and_column),
		cmocka_unit_test(a_nul_byte_in_the_text_is_not_its_end),
		cmocka_unit_test(nesting_ends_at_32_levels),
		cmocka_unit_test(every_prefix_of_a_good_text_is_refused_or_whole),
		cmocka_unit_test(looking_into_the_wrong_type_gives_the_empty_answer),
		cmocka_unit_test(all_problems_are_named_at_once_with_their_paths),
		cmocka_unit_test(right_members_are_taken),
		cmocka_unit_test(a_strange_key_cannot_steer_a_terminal),
		cmocka_unit_test(what_steers_a_terminal_leaves_escaped_and_reads_back_as_it_was),
		cmocka_unit_test(commas_and_escapes_are_placed_by_the_writer),
		cmocka_unit_test(numbers_read_back_as_they_were),
		cmocka_unit_test(a_document_written_again_is_the_same),
		cmocka_unit_test(writing_too_deep_is_an_error_not_a_crash),
		cmocka_unit_test(a_file_puts_its_path_in_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
