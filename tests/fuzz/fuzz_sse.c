/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events are the same wherever the network cuts them. First byte: how long the pieces are.
 * The rest is also read as a line of rules how long runs are kept. */
#include "tui/sse.h"

#include <stdio.h>
#include <stdlib.h>

#include "shared/mem.h"
#include "tests/fuzz/fuzz.h"
#include "tui/wizard/keep_text.h"

static const char *const seeds[] = {
	"\x01\xEF\xBB\xBF" "id: 7\nevent: run\ndata: {\"a\":1}\ndata: x\n\n: comment\r\nretry: 2000\r\r\ndata\r\rid\n\n",
	"\x05" "data:a\r\n\r\nevent\ndata:  b\n\nid: \nretry:x\ndata:c\n\n", "\x09last 3 48h 14d 8w 12m 5y within 30d", "\x02" "14 days, 3 weeks within 1h 30min",
};

void fuzz_begin(void)
{
}

static void note(void *ctx, const struct sse_event *ev)
{
	buf_addf(ctx, "%s %s %zu ", ev->type, ev->id, ev->len);
	buf_add(ctx, ev->data, ev->len);
}

static int read_all(struct buf *out, const uint8_t *p, size_t n, size_t piece)
{
	struct sse s;
	int rc = 0;

	sse_init(&s, 4096, note, out);
	for (size_t at = 0; at < n && !rc; at += piece) {
		size_t part = n - at < piece ? n - at : piece;
		/* of its own size: a read behind it is found */
		CLEANUP(freep) char *copy = xmemdup(p + at, part);

		rc = sse_feed(&s, copy, part);
	}
	buf_addf(out, "retry %lld", (long long)s.retry_ms);
	sse_done(&s);
	return rc;
}

static void keep(const uint8_t *p, size_t n)
{
	CLEANUP(freep) char *text = xstrndup((const char *)p, n);
	struct keep_text k = {0};
	char explained[256];
	struct err e;

	if (keep_text_parse(&k, text, &e) == 0)
		keep_text_explain(&k, explained, sizeof(explained));
}

void fuzz_one(const uint8_t *p, size_t n)
{
	struct buf whole, pieces;
	int rc;

	if (!n)
		return;
	buf_init(&whole, 1 << 20);
	buf_init(&pieces, 1 << 20);
	rc = read_all(&whole, p + 1, n - 1, n);
	if (rc != read_all(&pieces, p + 1, n - 1, p[0] % 32 + 1) || whole.len != pieces.len || memcmp(whole.p, pieces.p, whole.len) != 0) {
		fprintf(stderr, "whole:\n%.*s\nin pieces:\n%.*s\n", (int)whole.len, whole.p, (int)pieces.len, pieces.p);
		abort();
	}
	buf_done(&whole);
	buf_done(&pieces);
	keep(p + 1, n - 1);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
