/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/hot.c"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit.h"

/* A row of the journal with a sample of each node at ts. */
static void commit(struct hot *h, const char *origin, int64_t id, int64_t ts, int nodes)
{
	struct journal_id v = {.id = id};
	struct buf doc, record;
	struct wire_sample s;

	str_cut(v.origin, sizeof(v.origin), origin);
	buf_init(&doc, 1 << 20);
	buf_init(&record, 4096);
	wire_sample_init(&s);
	s.ts = ts;
	s.cpu = (double)(ts % 100);
	record_put(&record, &s);
	for (int i = 1; i <= nodes; i++)
		frame_put(&doc, &(struct frame){
					.node_id = i, .record = (const uint8_t *)record.p, .record_n = record.len});
	assert_int_equal(hot_add(h, &v, doc.p, doc.len, NULL), 0);
	buf_done(&doc);
	buf_done(&record);
	wire_sample_done(&s);
}

static void samples_come_back_by_time_and_once(void **state)
{
	struct hot *h = hot_new();
	struct block b = {0};
	uint32_t upto;

	(void)state;
	commit(h, "a", 1, 5000, 3);
	commit(h, "a", 2, 3000, 2);
	commit(h, "a", 3, 5000, 3);
	commit(h, "a", 4, 4000, 2);
	hot_read(h, 2, &b, &upto);
	assert_int_equal(b.rows.n, 3);
	assert_int_equal(b.rows.v[0].ts, 3000);
	assert_int_equal(b.rows.v[1].ts, 4000);
	assert_int_equal(b.rows.v[2].ts, 5000);
	assert_int_equal(upto, 4);
	assert_int_equal(hot_cursor(h, "a"), 4);
	assert_int_equal(hot_cursor(h, "b"), 0);
	block_done(&b);
	hot_read(h, 4, &b, &upto);
	assert_int_equal(b.rows.n, 0);
	hot_free(h);
}

static void what_is_packed_goes_what_came_since_stays(void **state)
{
	struct hot *h = hot_new();
	struct block b = {0};
	struct hot_size size;
	uint32_t upto;

	(void)state;
	commit(h, "a", 1, 1000, 2);
	commit(h, "a", 2, 2000, 2);
	hot_read(h, 1, &b, &upto);
	block_done(&b);
	commit(h, "a", 3, 1500, 2);
	hot_packed(h, 1, upto);
	hot_read(h, 1, &b, &upto);
	assert_int_equal(b.rows.n, 1);
	assert_int_equal(b.rows.v[0].ts, 1500);
	block_done(&b);
	hot_read(h, 2, &b, &upto);
	assert_int_equal(b.rows.n, 3);
	block_done(&b);
	hot_size(h, &size);
	assert_int_equal(size.samples, 4);
	hot_free(h);
}

static void each_origin_is_settled_by_itself(void **state)
{
	struct hot *h = hot_new();
	struct journal_ids ends = {0};
	struct block b = {0};
	int64_t ids[4];
	uint32_t upto;

	(void)state;
	commit(h, "a", 1, 1000, 2);
	commit(h, "b", 7, 2000, 2);
	commit(h, "a", 2, 3000, 1);
	hot_ends(h, &ends);
	assert_int_equal(ends.n, 2);
	assert_int_equal(ends.v[1].id, 7);
	list_done(&ends);
	hot_settled(h, "a", 2);
	hot_read(h, 1, &b, &upto);
	assert_int_equal(b.rows.n, 2);
	assert_int_equal(b.rows.v[0].ts, 2000);
	block_done(&b);
	hot_settled(h, "b", INT64_MAX);
	assert_int_equal(hot_nodes(h, 0, ids, 4), 1);
	assert_int_equal(ids[0], 1);
	assert_int_equal(h->rows.n, 1);
	hot_settled(h, "a", INT64_MAX);
	assert_int_equal(hot_nodes(h, 0, ids, 4), 0);
	assert_int_equal(h->rows.n, 0);
	/* numbers go on, and a mark of before is one */
	commit(h, "a", 3, 4000, 1);
	hot_packed(h, 1, upto);
	assert_int_equal(hot_nodes(h, 0, ids, 4), 1);
	hot_free(h);
}

static void random_times_are_kept_as_a_model_keeps_them(void **state)
{
	struct hot *h = hot_new();
	bool seen[1000] = {false};
	struct block b = {0};
	uint32_t upto;
	size_t n = 0, at = 0;

	(void)state;
	srand(3);
	for (int i = 1; i <= 2000; i++) {
		int ts = rand() % 1000;

		commit(h, "a", i, ts, 1);
		n += !seen[ts];
		seen[ts] = true;
	}
	hot_read(h, 1, &b, &upto);
	assert_int_equal(b.rows.n, n);
	for (int ts = 0; ts < 1000; ts++)
		if (seen[ts])
			assert_int_equal(b.rows.v[at++].ts, ts);
	block_done(&b);
	hot_free(h);
}

static void settling_an_origin_that_is_new_here_takes_nothing_of_others(void **state)
{
	struct hot *h = hot_new();
	char name[8];

	(void)state;
	commit(h, "a", 1, 1000, 1);
	/* so many that the list of origins moves, more than once */
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		hot_settled(h, name, INT64_MAX);
		assert_int_equal(h->rows.n, 1);
	}
	assert_int_equal(h->origins.n, 101);
	hot_settled(h, "a", INT64_MAX);
	assert_int_equal(h->rows.n, 0);
	hot_free(h);
}

static void a_damaged_row_is_an_error(void **state)
{
	struct hot *h = hot_new();
	struct err e;

	(void)state;
	assert_int_equal(hot_add(h, &(struct journal_id){.origin = "a", .id = 1}, "\x01\x00\x7f", 3, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	hot_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_come_back_by_time_and_once),
		cmocka_unit_test(what_is_packed_goes_what_came_since_stays),
		cmocka_unit_test(each_origin_is_settled_by_itself),
		cmocka_unit_test(random_times_are_kept_as_a_model_keeps_them),
		cmocka_unit_test(settling_an_origin_that_is_new_here_takes_nothing_of_others),
		cmocka_unit_test(a_damaged_row_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
