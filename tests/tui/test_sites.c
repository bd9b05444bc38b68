/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/wizard/step_sites.c"

#include "tests/unit.h"

/* What the wizard makes of the sites that felloe-noded has found. */

static struct json *told(const char *config)
{
	CLEANUP(freep) char *text = xasprintf("{\"name\":\"shop\",\"wp_config_path\":\"%s\",\"db_name\":\"shop\"}", config);
	struct json *j = NULL;
	struct err e;

	assert_int_equal(json_parse(&j, text, strlen(text), &e), 0);
	return j;
}

static void a_directory_gives_its_mark_to_the_wordpress_below_it(void **state)
{
	struct json *j = told("/srv/www/shop/wp-config.php"), *beside = told("/srv/www-old/wp-config.php");
	struct wizard w = {0};

	(void)state;
	add_files(&w, "/srv/www");
	add_files(&w, "/srv/www-files");
	found(&w, j);
	found(&w, beside);
	assert_int_equal(w.a.sites.n, 4);
	assert_false(w.a.sites.v[0].chosen);
	assert_true(w.a.sites.v[1].chosen);
	assert_true(w.a.sites.v[2].chosen);
	assert_string_equal(w.a.sites.v[2].dir, "/srv/www/shop");
	/* whoever marks it again means it: another look does not take it away */
	w.a.sites.v[0].chosen = true;
	found(&w, j);
	assert_true(w.a.sites.v[0].chosen);
	list_done(&w.a.sites);
	json_free(j);
	json_free(beside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_gives_its_mark_to_the_wordpress_below_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
