/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/wizard/keep_text.c"

#include "tests/unit.h"

static char text[256];

/* What config.json gets for a line; "" none, or the error. */
static const char *json_of(const char *line)
{
	struct keep_text k;
	struct json_out o;
	struct buf b;
	struct err e;

	if (keep_text_parse(&k, line, &e)) {
		str_cut(text, sizeof(text), e.msg);
		return text;
	}
	buf_init(&b, 4096);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	keep_text_put(&o, &k);
	json_end_obj(&o);
	str_cut(text, sizeof(text), b.p);
	buf_done(&b);
	return text;
}

static const char *line_of(const char *json)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct err e;

	assert_int_equal(json_parse(&j, json, strlen(json), &e), 0);
	keep_text_from(j, text, sizeof(text));
	return text;
}

static void a_line_becomes_the_rules_of_the_configuration(void **state)
{
	(void)state;
	assert_string_equal(json_of("14d 8w 12m"), "{\"keep\":{\"daily\":14,\"weekly\":8,\"monthly\":12}}");
	assert_string_equal(json_of(" 2 years,14 days, 1week last 3 "), "{\"keep\":{\"last\":3,\"daily\":14,\"weekly\":1,\"yearly\":2}}");
	assert_string_equal(json_of("48 hourly 3 last within 1d 12h "), "{\"keep\":{\"last\":3,\"hourly\":48,\"within\":\"1d 12h\"}}");
	assert_string_equal(json_of(""), "{}");
	assert_string_equal(json_of(" ,"), "{}");
}

static void a_word_that_is_none_is_named(void **state)
{
	(void)state;
	assert_string_equal(json_of("14x"), "keep: \"14x\" is none of h, d, w, m, y (as in 14d 8w 12m)");
	assert_string_equal(json_of("14"), "keep: 14 of what? Write 14d for days");
	assert_string_equal(json_of("14 8w"), "keep: 14 of what? Write 14d for days");
	assert_string_equal(json_of("forever"), "keep: \"forever\" is no count: write 14d 8w 12m, or nothing to keep all runs");
	assert_string_equal(json_of("0d"), "keep: \"0\" is no count from 1 to 100000");
	assert_string_equal(json_of("7d 8d"), "keep: daily is there twice");
	assert_string_equal(json_of("last"), "keep: last needs a count, as in last 3");
	assert_string_equal(json_of("last d"), "keep: \"d\" is no count from 1 to 100000");
	assert_string_equal(json_of("7d within"), "keep: within comes last and needs a span such as 30d");
	assert_string_equal(json_of("-3d"), "keep: \"-\" is no count: write 14d 8w 12m, or nothing to keep all runs");
}

static void the_rules_come_back_as_a_line(void **state)
{
	(void)state;
	assert_string_equal(line_of("{\"last\":3,\"hourly\":0,\"daily\":14,\"yearly\":5,\"within\":\"1d 12h\"}"), "last 3 14d 5y within 1d 12h");
	assert_string_equal(json_of(line_of("{\"last\":3,\"within\":\"30d\"}")), "{\"keep\":{\"last\":3,\"within\":\"30d\"}}");
	assert_string_equal(line_of("{}"), "");
	assert_string_equal(line_of("\"soon\""), "");
}

static void the_rules_are_explained(void **state)
{
	struct keep_text k;
	struct err e;
	char why[128];

	(void)state;
	assert_int_equal(keep_text_parse(&k, "14d 8w 12m", &e), 0);
	keep_text_explain(&k, why, sizeof(why));
	assert_string_equal(why, "newest of 14 days, 8 weeks, 12 months: up to 34");
	assert_int_equal(keep_text_parse(&k, "last 3 1y within 30d", &e), 0);
	keep_text_explain(&k, why, sizeof(why));
	assert_string_equal(why, "the last 3, newest of 1 year, all within 30d");
	assert_int_equal(keep_text_parse(&k, "", &e), 0);
	keep_text_explain(&k, why, sizeof(why));
	assert_string_equal(why, "every run, for ever: the storages fill up");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_becomes_the_rules_of_the_configuration),
		cmocka_unit_test(a_word_that_is_none_is_named),
		cmocka_unit_test(the_rules_come_back_as_a_line),
		cmocka_unit_test(the_rules_are_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
