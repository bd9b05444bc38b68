/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/stream.c"

#include "tests/unit.h"

static char *path(const char *s)
{
	return (char *)(uintptr_t)s;
}

static void nested_directories_are_walked_once_and_lose_nothing(void **state)
{
	char *paths[] = {path("/etc/nginx"), path("/etc/nginx")};
	struct site s = {.wp_content_path = path("/w/wp-content"), .wp_config_path = path("/w/wp-config.php"),
			 .paths = {.v = paths, .n = 2}};
	struct roots r;

	(void)state;
	roots_of(&r, &s);
	assert_int_equal(r.content.n, 1);
	assert_int_equal(r.other.n, 2);
	assert_string_equal(r.other.v[0], "/etc/nginx");
	assert_string_equal(r.other.v[1], "/w/wp-config.php");
	roots_done(&r);
	paths[1] = path("/w/");
	roots_of(&r, &s);
	assert_int_equal(r.content.n, 0); /* the rules of WordPress would leave out /w/cache */
	assert_int_equal(r.other.n, 4);
	roots_done(&r);
	paths[1] = path("/w/wp-content2");
	roots_of(&r, &s);
	assert_int_equal(r.content.n, 1);
	roots_done(&r);
	assert_true(lies_in("/a/b", "/"));
	assert_true(lies_in("/a", "/a/"));
	assert_false(lies_in("/ab", "/a"));
}

static void an_archive_with_fewer_members_than_it_was_given_is_no_success(void **state)
{
	struct work w = {.members = 40};
	struct walk_result files = {.files = 7};
	struct archive_sum sum = {.members = 50};
	struct err e;

	(void)state;
	assert_int_equal(all_there(&w, &files, &sum, &e), 0);
	sum.members = 49;
	assert_int_equal(all_there(&w, &files, &sum, &e), -1);
	assert_string_equal(e.msg, "the archive has 49 members, 50 were given to it");
}

static void only_what_holds_nothing_but_nul_is_blank(void **state)
{
	(void)state;
	assert_true(all_nul("\0\0\0\0", 4));
	assert_true(all_nul("", 0));
	assert_false(all_nul("\0\0\0x", 4));
	assert_false(all_nul("x\0\0\0", 4));
	assert_true(all_nul("\0", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_archive_with_fewer_members_than_it_was_given_is_no_success),
		cmocka_unit_test(only_what_holds_nothing_but_nul_is_blank),
		cmocka_unit_test(nested_directories_are_walked_once_and_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
