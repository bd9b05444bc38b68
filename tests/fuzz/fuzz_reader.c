/* SPDX-License-Identifier: Apache-2.0 */
/* SQL is split into the same statements whatever the pieces in which it comes, and
 * a statement that is given out ends where a delimiter stands. The first byte of the input:
 * how long the pieces are, and whether a backslash escapes. */
#include "noded/mysql/reader.c"

#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

enum { MAX = 1 << 20 };

static const char *const seeds[] = {
	"\x07SELECT 'a;b', \"c\\\";\", `d;``e`; -- f;\n# g;\nINSERT INTO t VALUES (1) /* ; */;\nSELECT 2",
	"\x81/*!50003 CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @x = ';' */;\n/*M!100000 SELECT 1 */;\n--\n;;;",
	"\x02" "DELIMITER ;;\nCREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END ;;\nDELIMITER ;\nSELECT 'x'",
	"\x83" "delimiter $$\nSELECT 'a\\'$$\nSELECT 5--5, 6-- 6$$\n$$DELIMITER /*\n/*x/*",
};

void fuzz_begin(void)
{
}

struct split {
	const char *p;
	size_t n, piece;
	bool no_backslash;
};

static void feed(struct reader *r, const struct split *s, size_t *at)
{
	size_t part = s->n - *at < s->piece ? s->n - *at : s->piece;
	/* of its own size: a read behind it is found */
	CLEANUP(freep) char *copy = xmemdup(s->p + *at, part);
	struct err e;

	if (reader_feed(r, copy, part, &e))
		abort();
	*at += part;
}

/* All statements, each with its length before it; the rest of the text behind. */
static void split(struct buf *out, const struct split *s)
{
	const char *sql;
	struct reader r;
	size_t at = 0, n;

	reader_init(&r, MAX);
	r.no_backslash = s->no_backslash;
	do {
		bool end;

		feed(&r, s, &at);
		end = at == s->n;
		while (reader_next(&r, end, &sql, &n)) {
			if (!n || !memmem(s->p, s->n, sql, n))
				abort();
			buf_addf(out, "%zu ", n);
			buf_add(out, sql, n);
		}
	} while (at < s->n);
	sql = reader_rest(&r, &n);
	if (sql) {
		buf_adds(out, "rest ");
		buf_add(out, sql, n);
	}
	reader_done(&r);
}

void fuzz_one(const uint8_t *p, size_t n)
{
	struct split s;
	struct buf whole, pieces;

	if (n < 2)
		return;
	s = (struct split){(const char *)p + 1, n - 1, n - 1, p[0] & 0x80};
	buf_init(&whole, MAX);
	buf_init(&pieces, MAX);
	split(&whole, &s);
	s.piece = (p[0] & 0x7f) + 1;
	split(&pieces, &s);
	if (whole.len != pieces.len || (whole.len && memcmp(whole.p, pieces.p, whole.len) != 0)) {
		fprintf(stderr, "whole:\n%.*s\nin pieces of %zu:\n%.*s\n", (int)whole.len, whole.p, s.piece, (int)pieces.len, pieces.p);
		abort();
	}
	buf_done(&whole);
	buf_done(&pieces);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
