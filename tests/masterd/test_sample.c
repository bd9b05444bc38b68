/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/sample.c"

#include <stdio.h>

#include "tests/unit.h"

static void fill(struct wire_sample *s)
{
	wire_sample_init(s);
	s->ts = 1790000000123;
	s->cpu = 42.5;
	s->disk = 40.25;
	s->active_backups = 2;
	s->mem_total = 8264208384;
	s->mem_used = 3126140928;
	s->load[0] = 0.52;
	s->io_read = 12345;
	s->net_rx = 0;
	for (size_t i = 0; i < 3; i++) {
		struct wire_disk *d = list_push(&s->disks);

		snprintf(d->mount, sizeof(d->mount), "/mnt/%zu", i);
		d->percent = i == 1 ? (double)NAN : 10.0 * (double)i + 0.25;
	}
}

static void a_sample_comes_back_from_its_record(void **state)
{
	struct wire_sample s, back;
	struct block b = {0};
	struct buf record;
	int64_t ts;

	(void)state;
	fill(&s);
	buf_init(&record, 4096);
	record_put(&record, &s);
	assert_true(record.len < 80);
	assert_int_equal(record_ts(record.p, record.len, &ts), 0);
	assert_int_equal(ts, s.ts);
	assert_int_equal(record_get(&b, record.p, record.len, NULL), 0);
	assert_int_equal(b.n_mounts, 3);
	row_to_wire(&back, &b, &b.rows.v[0]);
	assert_int_equal(back.ts, s.ts);
	assert_float_equal(back.cpu, 42.5, 1e-9);
	assert_float_equal(back.disk, 40.25, 1e-9);
	assert_int_equal(back.active_backups, 2);
	assert_int_equal(back.mem_total, 8264208384);
	assert_true(llabs(back.mem_used - 3126140928) < 3126140928 / 1000);
	assert_float_equal(back.load[0], 0.52, 1e-9);
	assert_true(isnan(back.load[1]));
	assert_true(fabs(back.io_read - 12345) < 12345 * 0.006);
	assert_float_equal(back.net_rx, 0, 1e-9);
	assert_true(isnan(back.net_tx));
	assert_int_equal(back.swap_used, -1);
	assert_int_equal(back.disks.n, 2);
	assert_string_equal(back.disks.v[1].mount, "/mnt/2");
	assert_float_equal(back.disks.v[1].percent, 20.25, 1e-9);
	wire_sample_done(&back);
	wire_sample_done(&s);
	block_done(&b);
	buf_done(&record);
}

static void extremes_have_codes_and_what_is_not_known_has_none(void **state)
{
	(void)state;
	for (int i = 0; i < ROLL_METRICS; i++) {
		enum metric m = (enum metric)i;

		assert_int_equal(metric_code(m, (double)NAN), CODE_NONE);
		assert_int_equal(metric_code(m, -1), CODE_NONE);
		assert_int_equal(metric_code(m, (double)INFINITY), CODE_NONE);
		assert_true(isnan(metric_value(m, CODE_NONE)));
		assert_int_equal(metric_code(m, 0), 0);
		assert_true(metric_code(m, 1e308) > 0);
		for (double v = 0.1; v < 1e14; v *= 1.7)
			assert_true(fabs(metric_value(m, metric_code(m, v)) - v) <= v * 0.0051 + 1);
	}
	assert_int_equal(mount_code(101), CODE_NONE);
	assert_int_equal(mount_code(100), 10000);
}

static void every_cut_of_a_record_is_damage(void **state)
{
	struct wire_sample s;
	struct block b = {0};
	struct buf record;
	struct err e;

	(void)state;
	fill(&s);
	buf_init(&record, 4096);
	record_put(&record, &s);
	for (size_t n = 0; n < record.len; n++) {
		assert_int_equal(record_get(&b, record.p, n, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
		assert_int_equal(b.rows.n, 0);
	}
	/* and any change of a byte is a record or an error, nothing else */
	for (size_t i = 0; i < record.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			CLEANUP(freep) char *copy = xmemdup(record.p, record.len);
			struct block other = {0};

			copy[i] = (char)(copy[i] ^ (1 << bit));
			if (record_get(&other, copy, record.len, &e))
				assert_int_equal(other.rows.n, 0);
			block_done(&other);
		}
	block_done(&b);
	wire_sample_done(&s);
	buf_done(&record);
}

static void frames_follow_each_other(void **state)
{
	const struct frame one = {.node_id = 7, .record = (const uint8_t *)"abc", .record_n = 3};
	const struct frame two = {
		.node_id = 1LL << 40, .skewed = true, .record = (const uint8_t *)"", .extra = "{}", .extra_n = 2};
	const uint8_t *p;
	struct frame f;
	struct buf b;
	struct err e;

	(void)state;
	buf_init(&b, 4096);
	frame_put(&b, &one);
	frame_put(&b, &two);
	p = (const uint8_t *)b.p;
	assert_int_equal(frame_get(&p, (const uint8_t *)b.p + b.len, &f, &e), 1);
	assert_int_equal(f.node_id, 7);
	assert_int_equal(f.record_n, 3);
	assert_memory_equal(f.record, "abc", 3);
	assert_null(f.extra);
	assert_false(f.skewed);
	assert_int_equal(frame_get(&p, (const uint8_t *)b.p + b.len, &f, &e), 1);
	assert_true(f.node_id == 1LL << 40 && f.skewed && f.extra_n == 2);
	assert_memory_equal(f.extra, "{}", 2);
	assert_int_equal(frame_get(&p, (const uint8_t *)b.p + b.len, &f, &e), 0);
	p = (const uint8_t *)b.p;
	assert_int_equal(frame_get(&p, (const uint8_t *)b.p + 4, &f, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sample_comes_back_from_its_record),
		cmocka_unit_test(extremes_have_codes_and_what_is_not_known_has_none),
		cmocka_unit_test(every_cut_of_a_record_is_damage),
		cmocka_unit_test(frames_follow_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
