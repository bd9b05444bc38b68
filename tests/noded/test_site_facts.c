/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/site_facts.c"

#include <stdio.h>
#include <unistd.h>

#include "tests/unit.h"

static char dir[] = "/tmp/felloe-facts-XXXXXX";

static void put(const char *name, const char *text)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s", dir, name);
	struct err e;

	assert_int_equal(fs_write(path, text, strlen(text), 0644, &e), 0);
}

static int make_dir(void **state)
{
	struct err e;
	CLEANUP(freep) char *includes = NULL;
	CLEANUP(freep) char *content = NULL;

	(void)state;
	assert_non_null(mkdtemp(dir));
	includes = xasprintf("%s/wp-includes", dir);
	content = xasprintf("%s/wp-content/uploads", dir);
	assert_int_equal(fs_mkdirs(includes, 0755, &e), 0);
	assert_int_equal(fs_mkdirs(content, 0755, &e), 0);
	return 0;
}

static int drop_dir(void **state)
{
	static const char *const names[] = {"wp-includes/version.php", "wp-includes", "wp-content/uploads/a", "wp-content/b",
					    "wp-content/link", "wp-content/uploads", "wp-content", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", dir, names[i]);

		(void)remove(path);
	}
	return 0;
}

static void the_version_is_read_from_its_file_and_never_run(void **state)
{
	CLEANUP(freep) char *content = xasprintf("%s/wp-content", dir);
	CLEANUP(freep) char *kind = NULL;

	(void)state;
	put("wp-includes/version.php", "<?php\n/* $wp_version = '1.0'; */\n$wp_version = '6.4.2';\n$wp_db_version = 56657;\n");
	kind = site_kind(content);
	assert_string_equal(kind, "WordPress 6.4.2");
}

static void a_file_without_a_version_leaves_the_kind(void **state)
{
	CLEANUP(freep) char *content = xasprintf("%s/wp-content", dir);
	CLEANUP(freep) char *kind = NULL;
	CLEANUP(freep) char *nowhere = site_kind("");

	(void)state;
	put("wp-includes/version.php", "<?php $wp_version = version(); \"");
	kind = site_kind(content);
	assert_string_equal(kind, "WordPress");
	assert_string_equal(nowhere, "WordPress");
}

static void bytes_are_of_files_and_not_of_what_links_point_to(void **state)
{
	CLEANUP(freep) char *content = xasprintf("%s/wp-content", dir);
	CLEANUP(freep) char *link = xasprintf("%s/wp-content/link", dir);

	(void)state;
	put("wp-content/uploads/a", "12345");
	put("wp-content/b", "123");
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(site_bytes(content), 8);
	assert_int_equal(site_bytes("/nonexistent"), -1);
	assert_int_equal(site_bytes(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_version_is_read_from_its_file_and_never_run),
		cmocka_unit_test(a_file_without_a_version_leaves_the_kind),
		cmocka_unit_test(bytes_are_of_files_and_not_of_what_links_point_to),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
