/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/roll.c"

#include <stdio.h>

#include "tests/unit.h"

enum { N = 5000, MINUTE = 60000, HOUR = 3600000 };
static const int64_t START = 1790000000000 / HOUR * HOUR;

/* Samples every 10 s or so: cpu and load always, io sometimes, "/" and now and then "/data". */
static void fill(struct block *b)
{
	int64_t ts = START;

	srand(4);
	assert_int_equal(block_mount(b, "/", 1), 0);
	assert_int_equal(block_mount(b, "/data", 5), 1);
	for (int i = 0; i < N; i++) {
		struct row *r = block_push(b, ts);

		r->v[M_CPU] = rand() % 1001;
		r->v[M_LOAD1] = rand() % 500;
		r->disk[0] = 4000 + i / 10;
		if (i >= N / 2)
			r->disk[1] = rand() % 10001;
		ts += 9900 + rand() % 200 + (rand() % 100 ? 0 : 3 * MINUTE);
	}
}

static void select_rows(enum sample_news *news, const struct block *b, size_t from, size_t to)
{
	for (size_t i = 0; i < b->rows.n; i++)
		news[i] = i >= from && i < to ? NEW : KNOWN;
}

/* As the packer does it: samples first, then what was new of them. */
static void merge(struct block *raw, struct block *minutes, struct block *hours, struct span *s)
{
	roll_raw(raw, s);
	roll_add(minutes, s, MINUTE);
	roll_add(hours, s, HOUR);
}

static void compare(const struct block *src, const struct block *roll, int64_t step)
{
	size_t at = 0;

	for (size_t i = 0; i < src->rows.n; at++) {
		const struct row *r = &roll->rows.v[at];
		double cpu = 0, disk = 0, top = 0;
		int64_t start = src->rows.v[i].ts / step * step, n = 0;

		for (; i < src->rows.n && src->rows.v[i].ts < start + step; i++, n++) {
			cpu += (double)src->rows.v[i].v[M_CPU] / 10;
			top = fmax(top, (double)src->rows.v[i].v[M_CPU] / 10);
			disk += src->rows.v[i].disk[0] / 100.0;
		}
		assert_true(at < roll->rows.n);
		assert_int_equal(r->ts, start);
		assert_int_equal(r->n, n);
		assert_true(fabs(metric_value(M_CPU, r->v[M_CPU]) - cpu / (double)n) < 0.26);
		assert_true(fabs(metric_value(M_CPU_MAX, r->v[M_CPU_MAX]) - top) < 1e-9);
		assert_true(fabs(mount_value(r->disk[0]) - disk / (double)n) < 0.026);
		assert_int_equal(r->v[M_IO_READ], CODE_NONE);
	}
	assert_int_equal(at, roll->rows.n);
}

static void rollups_are_what_a_plain_computation_gives(void **state)
{
	struct block src = {0}, raw = {0}, minutes = {0}, hours = {0};
	enum sample_news news[N];
	struct span s = {&src, news, 0, INT64_MAX};

	(void)state;
	fill(&src);
	for (size_t at = 0; at < N; at += 61) {
		select_rows(news, &src, at, at + 61);
		merge(&raw, &minutes, &hours, &s);
	}
	assert_int_equal(raw.rows.n, N);
	for (size_t i = 0; i < N; i++)
		assert_memory_equal(&raw.rows.v[i], &src.rows.v[i], sizeof(struct row));
	compare(&src, &minutes, MINUTE);
	compare(&src, &hours, HOUR);
	block_done(&src);
	block_done(&raw);
	block_done(&minutes);
	block_done(&hours);
}

static void a_merge_repeated_changes_nothing(void **state)
{
	struct block src = {0}, raw = {0}, minutes = {0}, hours = {0};
	enum sample_news news[N];
	struct span s = {&src, news, 0, INT64_MAX};

	(void)state;
	fill(&src);
	/* in an order that no clock has, with overlaps */
	for (int i = 0; i < 300; i++) {
		size_t from = (size_t)(rand() % N);

		select_rows(news, &src, from, from + 100);
		merge(&raw, &minutes, &hours, &s);
	}
	select_rows(news, &src, 0, N);
	merge(&raw, &minutes, &hours, &s);
	select_rows(news, &src, 0, N);
	assert_false(roll_raw(&raw, &s));
	assert_false(roll_add(&minutes, &s, MINUTE));
	assert_false(roll_add(&hours, &s, HOUR));
	assert_int_equal(raw.rows.n, N);
	for (size_t i = 1; i < N; i++)
		assert_true(raw.rows.v[i].ts > raw.rows.v[i - 1].ts);
	compare(&src, &minutes, MINUTE);
	block_done(&src);
	block_done(&raw);
	block_done(&minutes);
	block_done(&hours);
}

static void what_is_late_lands_once_where_nothing_was(void **state)
{
	struct block src = {0}, minutes = {0}, hours = {0};
	enum sample_news news[4];
	struct span s = {&src, news, 0, INT64_MAX};

	(void)state;
	for (int i = 0; i < 4; i++)
		block_push(&src, START + i * 30000)->v[M_CPU] = 100 * i;
	news[0] = news[1] = NEW;
	news[2] = news[3] = KNOWN;
	assert_true(roll_add(&minutes, &s, MINUTE));
	assert_true(roll_add(&hours, &s, HOUR));
	/* the first minute is there, the second is not; the hour takes what the minute took */
	for (int i = 0; i < 4; i++)
		news[i] = LATE;
	assert_true(roll_add(&minutes, &s, MINUTE));
	assert_true(roll_add(&hours, &s, HOUR));
	assert_int_equal(minutes.rows.n, 2);
	assert_int_equal(minutes.rows.v[0].n, 2);
	assert_int_equal(minutes.rows.v[1].n, 2);
	assert_int_equal(minutes.rows.v[1].v[M_CPU], 250);
	assert_int_equal(hours.rows.v[0].n, 4);
	assert_int_equal(hours.rows.v[0].v[M_CPU], 150);
	for (int i = 0; i < 4; i++)
		news[i] = LATE;
	assert_false(roll_add(&minutes, &s, MINUTE));
	assert_false(roll_add(&hours, &s, HOUR));
	block_done(&src);
	block_done(&minutes);
	block_done(&hours);
}

static void a_span_takes_only_its_own(void **state)
{
	struct block src = {0}, raw = {0};
	enum sample_news news[4] = {NEW, NEW, NEW, NEW};
	struct span s = {&src, news, START + 1, START + 3};

	(void)state;
	for (int i = 0; i < 4; i++)
		block_push(&src, START + i);
	assert_true(roll_raw(&raw, &s));
	assert_int_equal(raw.rows.n, 2);
	assert_int_equal(raw.rows.v[0].ts, START + 1);
	assert_int_equal(news[0], NEW);
	block_done(&src);
	block_done(&raw);
}

static void mounts_of_another_order_find_their_names(void **state)
{
	struct block a = {0}, b = {0}, raw = {0};
	enum sample_news news[1] = {NEW};
	struct span s = {&a, news, 0, INT64_MAX};

	(void)state;
	block_mount(&a, "/", 1);
	block_mount(&a, "/x", 2);
	block_push(&a, 1)->disk[1] = 11;
	block_mount(&b, "/x", 2);
	block_push(&b, 2)->disk[0] = 22;
	roll_raw(&raw, &s);
	s.src = &b;
	roll_raw(&raw, &s);
	assert_int_equal(raw.n_mounts, 2);
	assert_int_equal(raw.rows.v[0].disk[1], 11);
	assert_int_equal(raw.rows.v[1].disk[1], 22);
	assert_int_equal(raw.rows.v[1].disk[0], CODE_NONE);
	block_done(&a);
	block_done(&b);
	block_done(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rollups_are_what_a_plain_computation_gives),
		cmocka_unit_test(a_merge_repeated_changes_nothing),
		cmocka_unit_test(what_is_late_lands_once_where_nothing_was),
		cmocka_unit_test(a_span_takes_only_its_own),
		cmocka_unit_test(mounts_of_another_order_find_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
