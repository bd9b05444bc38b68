/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/hooks.c"

#include "tests/unit.h"

static char said[4096];

static void keep(void *ctx, const char *line)
{
	(void)ctx;
	assert_true(strlen(said) + strlen(line) + 2 < sizeof(said));
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s|", line);
}

static const struct hook_opts o = {.site = "shop", .run = "r1", .state = "ok", .timeout_ms = 30000, .output = keep};

static int run_line(const char *line, const struct hook_opts *how, struct err *e)
{
	char *lines[] = {xstrdup(line)};
	struct strings list = {.v = lines, .n = 1};
	int rc;

	said[0] = '\0';
	rc = hooks_run(&list, how, e);
	free(lines[0]);
	return rc;
}

static void a_line_is_split_at_blanks_outside_of_quotes(void **state)
{
	char **argv;
	struct err e;

	(void)state;
	assert_int_equal(hook_argv(&argv, "  a  'b c'\td\"e f\"g \"\" ", &e), 0);
	assert_string_equal(argv[0], "a");
	assert_string_equal(argv[1], "b c");
	assert_string_equal(argv[2], "de fg");
	assert_string_equal(argv[3], "");
	assert_null(argv[4]);
	hook_argv_free(argv);
	assert_int_equal(hook_argv(&argv, "a 'b", &e), -1);
	assert_string_equal(e.msg, "hook \"a 'b\": the quote ' has no end");
	assert_int_equal(hook_argv(&argv, "   ", &e), -1);
}

static void output_comes_back_in_clean_lines(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(run_line("printf 'one\\ntwo\\033[2J\\nthree'", &o, &e), 0);
	assert_string_equal(said, "one|two?[2J|three|");
}

static void failures_are_named(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(run_line("sh -c 'exit 7'", &o, &e), -1);
	assert_string_equal(e.msg, "hook: sh ended with exit code 7");
	assert_int_equal(run_line("sh -c 'kill -9 $$'", &o, &e), -1);
	assert_non_null(strstr(e.msg, "sh was ended by signal 9"));
	assert_int_equal(run_line("/nonexistent/x", &o, &e), -1);
	assert_non_null(strstr(e.msg, "/nonexistent/x: No such file or directory"));
}

static void a_command_that_takes_too_long_is_ended_with_its_children(void **state)
{
	struct hook_opts hasty = o;
	struct err e;

	(void)state;
	hasty.timeout_ms = 200;
	assert_int_equal(run_line("sh -c 'sleep 1000 & sleep 1000'", &hasty, &e), -1);
	assert_non_null(strstr(e.msg, "took longer"));
}

static void a_child_sees_only_what_it_may(void **state)
{
	struct err e;

	(void)state;
	setenv("FELLOE_TEST_SECRET", "hidden", 1);
	assert_int_equal(run_line("env", &o, &e), 0);
	assert_null(strstr(said, "hidden"));
	assert_non_null(strstr(said, "FELLOE_SITE=shop|"));
	assert_non_null(strstr(said, "FELLOE_STATE_OF_RUN=ok|"));
}

static void text_is_fed_to_standard_input(void **state)
{
	char *argv[] = {(char *)(uintptr_t)"cat", NULL};
	struct err e;

	(void)state;
	said[0] = '\0';
	assert_int_equal(hook_feed(argv, "a\nb\n", &o, &e), 0);
	assert_string_equal(said, "a|b|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_split_at_blanks_outside_of_quotes),
		cmocka_unit_test(output_comes_back_in_clean_lines),
		cmocka_unit_test(failures_are_named),
		cmocka_unit_test(a_command_that_takes_too_long_is_ended_with_its_children),
		cmocka_unit_test(a_child_sees_only_what_it_may),
		cmocka_unit_test(text_is_fed_to_standard_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
