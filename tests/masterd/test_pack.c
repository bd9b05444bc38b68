/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/pack.c"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit.h"

static int64_t any(int64_t below)
{
	return (int64_t)(((uint64_t)rand() << 31 | (uint64_t)rand()) % (uint64_t)below);
}

/* A block of n rows: each column is one of what columns can be. */
static void fill(struct block *b, size_t n, bool roll)
{
	int64_t ts = any(1LL << 41);
	size_t mounts = (size_t)any(MOUNTS_MAX + 1);
	char name[32];

	for (size_t i = 0; i < mounts; i++) {
		snprintf(name, sizeof(name), "/mnt/%zu", i);
		assert_int_equal(block_mount(b, name, strlen(name)), i);
	}
	for (size_t i = 0; i < n; i++) {
		block_push(b, ts);
		ts += 1 + any(20000);
		b->rows.v[i].n = roll ? 1 + any(100) : 1;
	}
	for (int m = 0; m < (roll ? ROLL_METRICS : METRICS); m++) {
		int64_t kind = any(6), last = any(1000), big = any(2) ? INT64_MAX : 1000000;

		for (size_t i = 0; i < n; i++) {
			int64_t *v = &b->rows.v[i].v[m];

			last = llabs(last + any(21) - 10);
			*v = kind == 0 ? CODE_NONE : kind == 1 ? 77 : kind == 2 ? any(big) : kind == 3 ? last
				: kind == 4 ? (any(2) ? CODE_NONE : any(big)) : (any(50) ? 3 : INT64_MAX);
		}
	}
	for (size_t k = 0; k < mounts; k++)
		for (size_t i = 0; i < n; i++)
			b->rows.v[i].disk[k] = any(9) ? (int32_t)any(10001) : CODE_NONE;
}

static void assert_same(const struct block *a, const struct block *b)
{
	assert_int_equal(a->rows.n, b->rows.n);
	assert_int_equal(a->n_mounts, b->n_mounts);
	for (size_t i = 0; i < a->n_mounts; i++)
		assert_string_equal(a->mounts[i], b->mounts[i]);
	for (size_t i = 0; i < a->rows.n; i++)
		assert_memory_equal(&a->rows.v[i], &b->rows.v[i], sizeof(struct row));
}

static void any_block_comes_back_as_it_was(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < 400; i++) {
		struct block b = {0}, back = {0};
		bool roll = i & 1;
		struct buf doc;
		struct err e;

		fill(&b, i < 10 ? (size_t)i / 2 : (size_t)any(600), roll);
		buf_init(&doc, 16 << 20);
		if (pack_write(&doc, &b, roll, &e) || pack_read(&back, doc.p, doc.len, &e))
			fail_msg("%s", e.msg);
		assert_same(&b, &back);
		block_done(&b);
		block_done(&back);
		buf_done(&doc);
	}
}

static void an_hour_of_a_quiet_machine_is_small(void **state)
{
	struct block b = {0};
	struct buf doc;

	(void)state;
	for (int i = 0; i < 360; i++) {
		struct row *r = block_push(&b, 1790000000000 + i * 10000);

		r->v[M_CPU] = 12;
		r->v[M_MEM_TOTAL] = 8264208384;
	}
	buf_init(&doc, 1 << 20);
	assert_int_equal(pack_write(&doc, &b, false, NULL), 0);
	assert_true(doc.len < 100);
	buf_done(&doc);
	block_done(&b);
}

/* Every cut and many changed bytes, of the frame and of what is in it. */
static void damage_is_an_error_and_never_a_crash(void **state)
{
	struct block b = {0};
	struct buf doc, plain, again;
	struct err e;

	(void)state;
	srand(2);
	fill(&b, 50, true);
	buf_init(&doc, 1 << 20);
	assert_int_equal(pack_write(&doc, &b, true, &e), 0);
	for (size_t n = 0; n < doc.len; n++) {
		struct block back = {0};

		assert_int_equal(pack_read(&back, doc.p, n, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
		assert_int_equal(back.rows.n, 0);
	}
	buf_init(&plain, 1 << 20);
	assert_int_equal(zip_unpack(&plain, doc.p + 1, doc.len - 1, &e), 0);
	for (int i = 0; i < 20000; i++) {
		CLEANUP(freep) char *copy = xmemdup(plain.p, plain.len);
		struct block back = {0};

		for (int k = 0; k < 3; k++)
			copy[any(i % 2 ? (int64_t)plain.len : 60)] = (char)any(256);
		buf_init(&again, 1 << 20);
		buf_addc(&again, VERSION);
		assert_int_equal(zip_pack(&again, copy, (size_t)any(8) ? plain.len : (size_t)any((int64_t)plain.len), &e), 0);
		if (!pack_read(&back, again.p, again.len, &e)) {
			/* what was read can be written */
			for (size_t r = 1; r < back.rows.n; r++)
				assert_true(back.rows.v[r].ts > back.rows.v[r - 1].ts);
			buf_reset(&again);
			assert_int_equal(pack_write(&again, &back, true, &e), 0);
		}
		block_done(&back);
		buf_done(&again);
	}
	buf_done(&plain);
	buf_done(&doc);
	block_done(&b);
}

static void too_many_rows_are_refused(void **state)
{
	struct block b = {0};
	struct buf doc;
	struct err e;

	(void)state;
	for (int i = 0; i <= PACK_ROWS_MAX; i++)
		block_push(&b, i);
	buf_init(&doc, 64 << 20);
	assert_int_equal(pack_write(&doc, &b, false, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	buf_done(&doc);
	block_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_block_comes_back_as_it_was),
		cmocka_unit_test(an_hour_of_a_quiet_machine_is_small),
		cmocka_unit_test(damage_is_an_error_and_never_a_crash),
		cmocka_unit_test(too_many_rows_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
