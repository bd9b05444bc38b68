/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/files/glob.c"

#include "tests/unit.h"

static void rules_match_as_gitignore_says(void **state UNUSED)
{
	static const struct { const char *rule, *name; bool dir, match; } cases[] = {
		{"cache/", "cache", true, true}, {"cache/", "cache", false, false}, {"cache/", "a/b/cache", true, true},
		{"*.log", "a/b/x.log", false, true}, {"*.log", "x.logs", false, false}, {"*.log", ".log", false, true},
		{"/x", "x", false, true}, {"/x", "a/x", false, false}, {"a/x", "a/x", false, true},
		{"a/x", "b/a/x", false, false}, {"a/*", "a/b", false, true}, {"a/*", "a/b/c", false, false},
		{"**/x", "x", false, true}, {"**/x", "a/b/x", false, true}, {"a/**", "a/b/c", false, true},
		{"a/**", "a", true, false}, {"a/**/z", "a/z", false, true}, {"a/**/z", "a/b/c/z", false, true},
		{"a/**/z", "a/bz", false, false}, {"?.c", "a.c", false, true}, {"?.c", "ab.c", false, false},
		{"[a-c]x", "bx", false, true}, {"[!a-c]x", "bx", false, false}, {"[]]x", "]x", false, true},
		{"[^x]y", "ay", false, true}, {"\\*x", "*x", false, true}, {"\\*x", "ax", false, false},
		{"\\#x", "#x", false, true}, {"#x", "#x", false, false}, {"", "x", false, false},
		{"x ", "x", false, true}, {"x\\ ", "x ", false, true}, {"a*b*c", "a12b3c", false, true},
		{"/a*/b", "a1/b", false, true}, {"/a*b", "a/b", false, false}, {"[a\\]]x", "]x", false, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(globs_freep) struct globs *g = globs_new();
		struct err e = {0};

		assert_int_equal(globs_add(g, cases[i].rule, &e), 0);
		if (globs_match(g, cases[i].name, cases[i].dir) != cases[i].match)
			fail_msg("rule \"%s\", name \"%s\"", cases[i].rule, cases[i].name);
	}
}

static void the_last_rule_that_matches_decides(void **state UNUSED)
{
	CLEANUP(globs_freep) struct globs *g = globs_new();

	assert_int_equal(globs_add(g, "*.log", NULL), 0);
	assert_int_equal(globs_add(g, "!keep.log", NULL), 0);
	assert_true(globs_match(g, "a/x.log", false));
	assert_false(globs_match(g, "a/keep.log", false));
	assert_int_equal(globs_add(g, "/a/keep.log", NULL), 0);
	assert_true(globs_match(g, "a/keep.log", false));
	assert_false(globs_match(NULL, "x.log", false));
}

static void bad_rules_are_named(void **state UNUSED)
{
	CLEANUP(globs_freep) struct globs *g = globs_new();
	char text[RULE_MAX + 2];
	struct err e = {0};

	assert_int_equal(globs_add(g, "a[b", &e), -1);
	assert_string_equal(e.msg, "exclude \"a[b\": a \"[\" without \"]\" (write \\[ for the character itself)");
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(globs_add(g, text, &e), -1);
	assert_int_equal(e.kind, ERR_INVALID);
}

static void wordpress_rules_spare_the_code_of_plugins(void **state UNUSED)
{
	CLEANUP(globs_freep) struct globs *g = globs_new();

	globs_add_wordpress(g);
	assert_true(globs_match(g, "cache", true));
	assert_true(globs_match(g, "uploads/cache", true));
	assert_true(globs_match(g, "plugins/p/node_modules", true));
	assert_false(globs_match(g, "plugins/p/src/cache", true));
	assert_false(globs_match(g, "uploads/2026/debug.log", false));
}

/* Bounded however many stars there are: this would not end otherwise. */
static void a_rule_of_many_stars_ends(void **state UNUSED)
{
	CLEANUP(globs_freep) struct globs *g = globs_new();
	char rule[200], name[200];

	for (size_t i = 0; i + 2 < sizeof(rule); i += 2)
		memcpy(rule + i, "a*", 3);
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = 'b';
	rule[sizeof(rule) - 2] = 'c';
	rule[sizeof(rule) - 1] = '\0';
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(globs_add(g, rule, NULL), 0);
	assert_false(globs_match(g, name, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_match_as_gitignore_says),
		cmocka_unit_test(the_last_rule_that_matches_decides),
		cmocka_unit_test(bad_rules_are_named),
		cmocka_unit_test(wordpress_rules_spare_the_code_of_plugins),
		cmocka_unit_test(a_rule_of_many_stars_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
