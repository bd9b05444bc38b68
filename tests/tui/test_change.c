/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/change.c"

#include <stdio.h>

#include "tests/unit.h"
#include "tests/tui/fleet.h"

static struct change *read_ok(const char *text)
{
	struct change *c = NULL;
	struct err e;

	if (change_from(&c, text, strlen(text), &e))
		fail_msg("%s: %s", text, e.msg);
	return c;
}

static void apply(struct nodes *n, const char *text, bool more)
{
	struct change *c = read_ok(text);

	assert_int_equal(change_apply(n, c), more);
	change_free(c);
}

static void numbers_go_into_the_row_and_nothing_else(void **state)
{
	struct nodes *n = fleet_nodes(true);
	const struct node *row = nodes_find(n, 5);

	(void)state;
	apply(n,
	      "{\"items\":[],\"samples\":[{\"id\":5,\"last_seen\":\"2026-11-23T13:04:05Z\",\"sample\":{\"ts\":"
	      "\"2026-11-23T13:04:04.5Z\",\"cpu_usage\":62.25,\"disk_usage\":-0,\"active_backups\":1,\"memory\":{\"used\":1,"
	      "\"total\":4}},\"cpu_minute\":30},{\"id\":999,\"sample\":{\"cpu_usage\":1}}],\"gone\":[]}",
	      false);
	assert_ptr_equal(nodes_find(n, 5), row);
	assert_string_equal(row->name, "web-01.fra");
	assert_int_equal((int)(row->cpu * 100), 6225);
	assert_true(row->disk == 0);
	assert_true(row->mem == 25);
	assert_int_equal(row->seen, 1795439045000);
	assert_int_equal(row->ts, 1795439044500);
	assert_int_equal(row->health, H_OK);
	nodes_unref(n);
}

static void the_trend_moves_on_with_the_minutes(void **state)
{
	struct nodes *n = fleet_nodes(true);
	const struct node *row = nodes_find(n, 5);
	uint8_t last = row->trend[TREND - 1];

	(void)state; /* the row's sample is of 14:03:20 CET */
	apply(n, "{\"samples\":[{\"id\":5,\"sample\":{\"ts\":\"2026-11-23T13:03:59Z\",\"cpu_usage\":1},\"cpu_minute\":11}]}", false);
	assert_int_equal(row->trend[TREND - 1], 11);
	apply(n, "{\"samples\":[{\"id\":5,\"sample\":{\"ts\":\"2026-11-23T13:04:02Z\",\"cpu_usage\":1},\"cpu_minute\":12}]}", false);
	assert_int_equal(row->trend[TREND - 1], 12);
	assert_int_equal(row->trend[TREND - 2], 11);
	assert_int_not_equal(last, 11);
	apply(n, "{\"samples\":[{\"id\":5,\"sample\":{\"ts\":\"2026-11-23T13:06:02Z\",\"cpu_usage\":1},\"cpu_minute\":190}]}", false);
	assert_int_equal(row->trend[TREND - 1], 100);
	assert_int_equal(row->trend[TREND - 2], TREND_GAP);
	assert_int_equal(row->trend[TREND - 3], 12);
	apply(n, "{\"samples\":[{\"id\":5,\"sample\":{\"ts\":\"2026-11-24T13:06:02Z\",\"cpu_usage\":null},\"cpu_minute\":null}]}", false);
	for (int i = 0; i < TREND; i++)
		assert_int_equal(row->trend[i], TREND_GAP);
	assert_true(isnan(row->cpu));
	nodes_unref(n);
}

static void whole_rows_replace_come_and_go(void **state)
{
	struct nodes *n = fleet_nodes(true);
	size_t before = n->n;

	(void)state;
	apply(n,
	      "{\"items\":[{\"id\":5,\"name\":\"renamed\",\"state\":\"active\",\"health\":\"warn\"},"
	      "{\"id\":14,\"name\":\"new\",\"state\":\"pending\",\"health\":\"waiting\"}],\"samples\":[],\"gone\":[20,77]}",
	      true);
	assert_int_equal(n->n, before);
	assert_string_equal(nodes_find(n, 5)->name, "renamed");
	assert_string_equal(nodes_find(n, 14)->name, "new");
	assert_null(nodes_find(n, 20));
	assert_int_equal(n->pending, 2);
	assert_int_equal(n->by_health[H_WARN], 2);
	for (size_t i = 1; i < n->n; i++)
		assert_true(n->v[i - 1]->id < n->v[i]->id);
	nodes_unref(n);
}

static void pages_go_when_no_row_of_theirs_is_shown(void **state)
{
	struct nodes *n = fleet_nodes(true);
	char text[256];

	(void)state;
	for (int turn = 0; turn < 50; turn++)
		for (int id = 1; id <= 30; id++) {
			snprintf(text, sizeof(text),
				 "{\"items\":[{\"id\":%d,\"name\":\"n%d-%d\",\"state\":\"active\",\"health\":\"ok\"}]}", id, id, turn);
			apply(n, text, true);
		}
	assert_int_equal(n->n, 30);
	assert_int_equal(n->pages.n, 30);
	assert_string_equal(nodes_find(n, 30)->name, "n30-49");
	for (int id = 1; id <= 30; id++) {
		snprintf(text, sizeof(text), "{\"gone\":[%d]}", id);
		apply(n, text, true);
	}
	assert_int_equal(n->n, 0);
	assert_int_equal(n->pages.n, 0);
	nodes_unref(n);
}

static void unknown_members_are_passed_over(void **state)
{
	struct change *c = read_ok(" { \"new\" : {\"a\":[1,{\"b\":\"]}\\\"\"}],\"c\":null} , \"samples\" : [ {\"x\":[[]],\"id\" : 7 , "
				   "\"sample\":{\"net\":{},\"memory\":null,\"cpu_usage\":1e1}} ] , \"gone\":[ 3 , 4 ] } ");

	(void)state;
	assert_int_equal(c->n_samples, 1);
	assert_int_equal(c->samples[0].id, 7);
	assert_true(c->samples[0].cpu == 10);
	assert_true(isnan(c->samples[0].mem));
	assert_int_equal(c->n_gone, 2);
	assert_null(c->items);
	change_free(c);
}

static void what_is_cut_or_garbled_is_refused_and_nothing_leaks(void **state)
{
	static const char whole[] = "{\"items\":[{\"id\":1,\"name\":\"a\"}],\"samples\":[{\"id\":5,\"last_seen\":\"2026-11-23T13:04:05Z\","
				    "\"sample\":{\"ts\":null,\"memory\":{\"used\":1,\"total\":4}}}],\"gone\":[1,2]}";
	static const char *const bad[] = {"", "[]", "null", "{\"samples\":7}", "{\"gone\":{}}", "{\"items\":3}", "{}{}", "{\"a\" 1}",
					  "{\"a\":1 \"b\":2}", "{\"samples\":[{\"id\":1}{\"id\":2}]}", "{\"items\":[{\"id\":1,}]}",
					  "{\"a\":}", "{\"a\":]}"};
	struct change *c = NULL;
	struct err e;

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		char *cut = xstrndup(whole, len);

		assert_int_equal(change_from(&c, cut, len, &e), -1);
		free(cut);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (change_from(&c, bad[i], strlen(bad[i]), &e) == 0)
			fail_msg("taken: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_go_into_the_row_and_nothing_else),
		cmocka_unit_test(the_trend_moves_on_with_the_minutes),
		cmocka_unit_test(whole_rows_replace_come_and_go),
		cmocka_unit_test(pages_go_when_no_row_of_theirs_is_shown),
		cmocka_unit_test(unknown_members_are_passed_over),
		cmocka_unit_test(what_is_cut_or_garbled_is_refused_and_nothing_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
