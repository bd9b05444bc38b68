/* SPDX-License-Identifier: Apache-2.0 */
/* frames: the level that follows what everything waits for */
#include "noded/archive/frames.c"

#include <sched.h>

#include "tests/unit.h"

enum { SMALL = 200000 };

struct sink {
	struct frames *frames;
	bool slow;              /* returns when compression has nothing left to do */
	unsigned n;
	struct buf all;
};

static int take(void *ctx, const void *p, size_t n, struct err *e UNUSED)
{
	struct sink *s = ctx;
	struct frames *f = s->frames;

	s->n++;
	buf_add(&s->all, p, n);
	if (!s->slow)
		return 0;
	while (!nothing_at_work(f))
		sched_yield(); /* it has to end by itself */
	return 0;
}

/* Text that zstd has to work for. */
static void fill(char *p, size_t n, unsigned i)
{
	uint32_t seed = i + 1;

	for (size_t k = 0; k < n; k++) {
		seed = seed * 1103515245 + 12345;
		p[k] = (char)('a' + (seed >> 16) % (k % 7 + 2));
	}
}

static void put(struct frames *f, unsigned i)
{
	struct err e = {0};
	char *p;

	assert_int_equal(frames_room(f, &p, &e), 0);
	fill(p, SMALL, i);
	assert_int_equal(frames_put(f, SMALL, &e), 0);
}

static struct frames *open_frames(struct sink *s, int level, bool adaptive)
{
	const struct frames_opts o = {.level = level, .threads = 2, .adaptive = adaptive, .out = take, .ctx = s};
	struct err e = {0};

	buf_init(&s->all, 64 << 20);
	assert_int_equal(frames_new(&s->frames, &o, &e), 0);
	return s->frames;
}

static void close_frames(struct sink *s)
{
	frames_free(s->frames);
	buf_done(&s->all);
}

static void a_source_that_is_faster_than_compression_lowers_the_level(void **state UNUSED)
{
	struct sink s = {0};
	struct frames *f = open_frames(&s, 12, true);
	struct err e = {0};
	struct buf raw;
	unsigned i = 0;
	size_t n, at = 0;

	for (; i < 400 && frames_lowest(f) == 12; i++)
		put(f, i);
	assert_in_range(frames_lowest(f), 1, 11);
	/* a sink that keeps everyone waiting brings it back */
	s.slow = true;
	for (unsigned k = 0; k < WINDOW * 13; k++)
		put(f, i++);
	assert_int_equal(f->level, 12);
	s.slow = false;
	assert_int_equal(frames_flush(f, &e), 0);
	/* what came out is what went in, whatever the level */
	buf_init(&raw, FRAME_RAW);
	for (unsigned k = 0; k < i; k++) {
		static char want[SMALL];

		n = frames_table(f, &n)[k].stored;
		assert_int_equal(frame_decompress(&raw, s.all.p + at, n, &e), 0);
		fill(want, SMALL, k);
		assert_int_equal(raw.len, SMALL);
		assert_memory_equal(raw.p, want, SMALL);
		at += n;
	}
	buf_done(&raw);
	close_frames(&s);
}

static void a_slow_sink_leaves_the_level_where_it_is(void **state UNUSED)
{
	struct sink s = {.slow = true};
	struct frames *f = open_frames(&s, 5, true);

	for (unsigned i = 0; i < WINDOW * 4; i++)
		put(f, i);
	assert_int_equal(frames_lowest(f), 5);
	close_frames(&s);
}

static void without_adaptive_the_level_never_moves(void **state UNUSED)
{
	struct sink s = {0};
	struct frames *f = open_frames(&s, 9, false);

	for (unsigned i = 0; i < WINDOW * 4; i++)
		put(f, i);
	assert_int_equal(frames_lowest(f), 9);
	close_frames(&s);
}

static void the_level_never_falls_below_one(void **state UNUSED)
{
	struct frames f = {.level = 2, .highest = 2, .lowest = 2, .adaptive = true};

	for (unsigned i = 0; i < WINDOW * 5; i++)
		adapt(&f, true, false);
	assert_int_equal(f.level, 1);
	assert_int_equal(frames_lowest(&f), 1);
	for (unsigned i = 0; i < WINDOW * 5; i++)
		adapt(&f, false, true);
	assert_int_equal(f.level, 2);
	for (unsigned i = 0; i < WINDOW * 5; i++) /* sometimes this, sometimes that */
		adapt(&f, i % 2, i % 2);
	assert_int_equal(f.level, 2);
	for (unsigned i = 0; i < WINDOW * 5; i++) /* busy, and in time */
		adapt(&f, false, false);
	assert_int_equal(f.level, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_that_is_faster_than_compression_lowers_the_level),
		cmocka_unit_test(a_slow_sink_leaves_the_level_where_it_is),
		cmocka_unit_test(without_adaptive_the_level_never_moves),
		cmocka_unit_test(the_level_never_falls_below_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
