/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: blocks of samples and rows of their journal out of any bytes.
 * clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. -Ibuild tests/fuzz/fuzz_pack.c
 *       masterd/{sample,roll,zip}.c shared/{err,mem,str,buf,list,json,json_out,hash,clock,wire}.c
 *       -lzstd -lcjson -lcrypto -lm */
#include "masterd/pack.c"

#include "masterd/roll.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What was read can be merged and written. */
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

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
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
	return 0;
}
