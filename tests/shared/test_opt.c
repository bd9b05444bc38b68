/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/opt.c"

#include <unistd.h>

#include "tests/unit.h"

static struct err e;
static const char *config;
static bool json, waits;
static uint64_t level, seconds;
static struct opt_list excluded;

static const struct opt table[] = {
	{.name = "config", .letter = 'c', .type = OPT_STR, .to = &config, .arg = "FILE", .help = "read this file"},
	{.name = "json", .letter = 'j', .type = OPT_FLAG, .to = &json, .help = "write JSON"},
	{.name = "level", .letter = 'l', .type = OPT_U64, .to = &level, .arg = "N", .min = 1, .max = 19,
	 .help = "how hard to compress, from 1, which is quick and leaves much, to 19, which is slow and leaves little"},
	{.name = "wait", .type = OPT_WAIT, .to = &seconds, .max = 3600, .given = &waits, .help = "wait for the end"},
	{.name = "exclude-this-very-long-one", .type = OPT_LIST, .to = &excluded, .arg = "GLOB", .help = "leave out"},
	{0},
};

/* opt_parse of words behind a program name; argv lives in store until the next call */
static char store[80][40];

static int parse(const char *const *words, char **argv, int *n)
{
	int argc = 1;

	config = NULL;
	json = waits = false;
	level = 3;
	seconds = 60;
	excluded.n = 0;
	for (; words[argc - 1]; argc++) {
		assert_int_equal(str_copy(store[argc], sizeof(store[argc]), words[argc - 1]), 0);
		argv[argc] = store[argc];
	}
	argv[argc] = NULL;
	return opt_parse(table, argc, argv, n, &e);
}
#define PARSE(argv, n, ...) parse((const char *const[]){__VA_ARGS__, NULL}, argv, n)

static void options_and_operands_may_be_mixed(void **state)
{
	char *argv[16];
	int n;

	(void)state;
	assert_int_equal(PARSE(argv, &n, "a", "--config", "f", "b", "-jl9", "--wait=5", "-", "--", "--json"), 0);
	assert_int_equal(n, 4);
	assert_string_equal(argv[1], "a");
	assert_string_equal(argv[2], "b");
	assert_string_equal(argv[3], "-");
	assert_string_equal(argv[4], "--json");
	assert_string_equal(config, "f");
	assert_true(json);
	assert_int_equal(level, 9);
	assert_true(waits);
	assert_int_equal(seconds, 5);
}

static void wait_alone_keeps_the_default_and_takes_no_operand(void **state)
{
	char *argv[16];
	int n;

	(void)state;
	assert_int_equal(PARSE(argv, &n, "--wait", "7"), 0);
	assert_true(waits);
	assert_int_equal(seconds, 60);
	assert_int_equal(n, 1);
}

static void a_list_collects_its_values(void **state)
{
	char *argv[16];
	int n;

	(void)state;
	assert_int_equal(PARSE(argv, &n, "--exclude-this-very-long-one=a", "--exclude-this-very-long-one", "b=c"), 0);
	assert_int_equal(excluded.n, 2);
	assert_string_equal(excluded.v[1], "b=c");
}

static void wrong_options_say_what_is_wrong(void **state)
{
	char *argv[16];
	int n;

	(void)state;
	assert_int_equal(PARSE(argv, &n, "--confg=f"), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_string_equal(e.msg, "unknown option --confg; did you mean --config?");
	assert_int_equal(PARSE(argv, &n, "--zzzzzzzzzz"), -1);
	assert_string_equal(e.msg, "unknown option --zzzzzzzzzz; --help lists the options");
	assert_int_equal(PARSE(argv, &n, "-jx"), -1);
	assert_string_equal(e.msg, "unknown option -x; --help lists the options");
	assert_int_equal(PARSE(argv, &n, "a", "--config"), -1);
	assert_string_equal(e.msg, "--config needs a value: --config FILE");
	assert_int_equal(PARSE(argv, &n, "--json=yes"), -1);
	assert_string_equal(e.msg, "--json takes no value");
	assert_int_equal(PARSE(argv, &n, "--level", "20"), -1);
	assert_string_equal(e.msg, "--level must be a whole number from 1 to 19, not \"20\"");
	assert_int_equal(PARSE(argv, &n, "--wait=soon"), -1);
	assert_string_equal(e.msg, "--wait must be a whole number from 0 to 3600, not \"soon\"");
	assert_int_equal(level, 3);
}

static void a_list_has_an_end(void **state)
{
	char *argv[80];
	const char *words[70] = {0};
	int n;

	(void)state;
	for (int i = 0; i < 65; i++)
		words[i] = "--exclude-this-very-long-one=x";
	assert_int_equal(parse(words, argv, &n), -1);
	assert_string_equal(e.msg, "--exclude-this-very-long-one may be given 64 times at most");
}

/* What fn writes to stdout. */
static char *output_of(void (*fn)(void))
{
	FILE *into = tmpfile();
	int before = dup(STDOUT_FILENO);
	char *text = xcalloc(1, 8192);
	ssize_t n;

	assert_non_null(into);
	fflush(stdout);
	dup2(fileno(into), STDOUT_FILENO);
	fn();
	fflush(stdout);
	n = pread(fileno(into), text, 8191, 0);
	dup2(before, STDOUT_FILENO);
	close(before);
	fclose(into);
	assert_true(n > 0);
	return text;
}

static int nothing(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 0;
}

static const struct verb verbs[] = {
	{"backup", "[SITE] [--json]", "back up one site or all", nothing},
	{"restore", "SITE --from ARCHIVE --to FOLDER", "bring a site back", nothing},
	{0},
};

static void show_options(void)
{
	opt_help(table);
}

static void show_verbs(void)
{
	verb_help(verbs, "felloe-noded", "Backs up.");
}

static void the_help_keeps_to_80_columns(void **state)
{
	CLEANUP(freep) char *options = output_of(show_options);
	CLEANUP(freep) char *text = output_of(show_verbs);

	(void)state;
	assert_string_equal(options, "  -c, --config FILE         read this file\n"
				     "  -j, --json                write JSON\n"
				     "  -l, --level N             how hard to compress, from 1, which is quick and\n"
				     "                            leaves much, to 19, which is slow and leaves little\n"
				     "      --wait[=SECONDS]      wait for the end\n"
				     "      --exclude-this-very-long-one GLOB\n"
				     "                            leave out\n");
	assert_string_equal(text, "Backs up.\n\nUsage: felloe-noded VERB [...]\n\n"
				  "  backup [SITE] [--json]    back up one site or all\n"
				  "  restore SITE --from ARCHIVE --to FOLDER\n"
				  "                            bring a site back\n");
}

static void a_verb_is_found_or_the_nearest_named(void **state)
{
	const char *near = "x";

	(void)state;
	assert_ptr_equal(verb_find(verbs, "restore", &near), &verbs[1]);
	assert_null(verb_find(verbs, "bakcup", &near));
	assert_string_equal(near, "backup");
	assert_null(verb_find(verbs, "completely", &near));
	assert_null(near);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_operands_may_be_mixed),
		cmocka_unit_test(wait_alone_keeps_the_default_and_takes_no_operand),
		cmocka_unit_test(a_list_collects_its_values),
		cmocka_unit_test(wrong_options_say_what_is_wrong),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(the_help_keeps_to_80_columns),
		cmocka_unit_test(a_verb_is_found_or_the_nearest_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
