/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/vieworder.c"

#include <stdio.h>

#include "tests/unit.h"

struct given {
	const char *name, *text;
	bool dead;
};

static void ordered(const struct given *g, size_t n, const char *want)
{
	struct view_order o = {0};
	size_t ret[8];
	char got[64] = "";
	int len = 0;

	for (size_t i = 0; i < n; i++) {
		struct view_node *v = list_push(&o);

		v->name = g[i].name;
		v->dead = g[i].dead;
	}
	for (size_t i = 0; i < n; i++)
		view_order_text(&o, i, g[i].text, strlen(g[i].text));
	view_order_get(&o, ret);
	for (size_t i = 0; i < n; i++)
		len += snprintf(got + len, sizeof(got) - (size_t)len, "%s ", g[ret[i]].name);
	assert_string_equal(got, want);
	view_order_done(&o);
}

static void a_view_comes_after_what_it_uses(void **state)
{
	const struct given g[] = {{"a", "select from `b` join `d`", false}, {"b", "select from `c`", false},
				  {"c", "select 1", false}, {"d", "select '`a`' from `c`", false}};

	(void)state;
	ordered(g, 4, "c b d a ");
}

static void odd_names_are_found(void **state)
{
	const struct given g[] = {{"a", "`x``y` where 'it''s `c`'", false}, {"c", "select `a`", false}, {"x`y", "", false}};

	(void)state;
	ordered(g, 3, "x`y a c ");
}

static void dead_ones_come_last_and_their_users_before_them(void **state)
{
	const struct given g[] = {{"a", "`z`", true}, {"b", "`a`", true}, {"c", "`b`", true}, {"z", "1", false}, {"y", "`z`", false}};

	(void)state;
	ordered(g, 5, "z y c b a ");
}

static void a_circle_ends(void **state)
{
	const struct given g[] = {{"a", "`b`", false}, {"b", "`a`", false}};

	(void)state;
	ordered(g, 2, "b a ");
	ordered(g, 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_view_comes_after_what_it_uses),
		cmocka_unit_test(odd_names_are_found),
		cmocka_unit_test(dead_ones_come_last_and_their_users_before_them),
		cmocka_unit_test(a_circle_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
