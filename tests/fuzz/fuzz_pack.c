/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of samples and rows of their journal out of any bytes: what was read can be merged and written. */
#include "masterd/pack.c"

#include <stdio.h>

#include "masterd/roll.h"
#include "tests/fuzz/fuzz.h"

void fuzz_begin(void)
{
}

static void use(const struct block *b)
{
	enum sample_news *news = xcalloc(b->rows.n + 1, sizeof(*news));
	const struct span all = {b, news, 0, INT64_MAX};
	struct block merged = {0};
	struct buf doc;

	for (size_t i = 0; i < b->rows.n; i++)
		news[i] = NEW;
	roll_raw(&merged, &all);
	if (merged.rows.n != b->rows.n)
		abort();
	buf_init(&doc, 64 << 20);
	if (pack_write(&doc, &merged, true, NULL))
		abort();
	buf_done(&doc);
	block_done(&merged);
	free(news);
}

void fuzz_one(const uint8_t *p, size_t n)
{
	const uint8_t *at = p;
	struct block b = {0};
	struct reader r = {.p = p, .end = p + n, .b = &b};
	struct frame f;

	/* behind the checksums of zstd */
	if (!get_block(&r))
		use(&b);
	block_done(&b);
	if (!pack_read(&b, p, n, NULL))
		use(&b);
	block_done(&b);
	while (frame_get(&at, p + n, &f, NULL) > 0)
		if (!record_get(&b, f.record, f.record_n, NULL) && !b.rows.n)
			abort();
	block_done(&b);
}

/* ---- where to begin: rows of a journal, a block as it is kept, and what is below its compression */

static void put_sample(struct buf *b, unsigned i)
{
	struct wire_sample s;
	struct wire_disk *d;
	struct buf record;
	struct frame f = {.node_id = i, .extra = "{}", .extra_n = 2};

	wire_sample_init(&s);
	s.ts = INT64_C(1795403400000) + i * 10000;
	s.cpu = i * 12.5;
	s.disk = 80;
	s.mem_total = INT64_C(8) << 30;
	s.mem_used = s.mem_total / (i + 1);
	d = list_push(&s.disks);
	snprintf(d->mount, sizeof(d->mount), "/mnt%u", i % 2);
	d->percent = i;
	buf_init(&record, 1 << 16);
	record_put(&record, &s);
	f.record = (const uint8_t *)record.p;
	f.record_n = record.len;
	frame_put(b, &f);
	buf_done(&record);
	wire_sample_done(&s);
}

/* packed: as it is kept; else what is below its version and compression */
static void put_block(struct buf *b, const struct buf *journal, bool packed)
{
	const uint8_t *at = (const uint8_t *)journal->p, *end = at + journal->len;
	struct block block = {0};
	struct frame f;
	struct buf kept;

	while (frame_get(&at, end, &f, NULL) > 0)
		if (record_get(&block, f.record, f.record_n, NULL))
			abort();
	buf_init(&kept, 1 << 16);
	if (pack_write(&kept, &block, false, NULL))
		abort();
	if (packed)
		buf_add(b, kept.p, kept.len);
	else if (zip_unpack(b, kept.p + 1, kept.len - 1, NULL))
		abort();
	buf_done(&kept);
	block_done(&block);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	struct buf journal, b;
	size_t n;

	buf_init(&journal, 1 << 16);
	buf_init(&b, 1 << 16);
	for (unsigned k = 0; k < 5; k++)
		put_sample(&journal, k);
	if (i == 0)
		buf_add(&b, journal.p, journal.len);
	else if (i < 3)
		put_block(&b, &journal, i == 1);
	n = b.len < max ? b.len : 0;
	if (n)
		memcpy(out, b.p, n);
	buf_done(&journal);
	buf_done(&b);
	return n;
}
