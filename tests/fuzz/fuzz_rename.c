/* SPDX-License-Identifier: Apache-2.0 */
/* Statements whose schema gets another name: none of it is left, all of it can be
 * found again under the new one, and every other byte is as it was. */
#include "noded/mysql/rename.c"

#include <stdio.h>
#include <stdlib.h>

#include "shared/str.h"
#include "tests/fuzz/fuzz.h"

static const char *const seeds[] = {
	"CREATE DEFINER=`r`@`h` VIEW `v` AS select `src`.`t`.`a` AS `a` from (`src`.`t` join src.u on(`t`.`a` = `u`.`a`))",
	"BEGIN INSERT INTO src.b SELECT * FROM src.c, src.d; CALL src.p; DELETE src.a FROM src.a; END",
	"CREATE TABLE t (a int DEFAULT nextval(`src`.`s`), FOREIGN KEY (a) REFERENCES src.`p` (`a`)) /*!50100 PARTITION BY HASH (a) */",
	"SELECT 'a\\'src.x', \"src\".\"y\", `a`src.f(), @src.z, src.t.* -- src.c\n FROM \"src\".t # src\n, src . u /* src.x */",
	"SELECT TRIM(x FROM src.a), r src.t%ROWTYPE, NEXT VALUE FOR src.s, 'src', '`src`.x' ON DUPLICATE KEY UPDATE src.a = 1",
};

void fuzz_begin(void)
{
}

static void fail(const char *what, const struct sql_text *text)
{
	fprintf(stderr, "%s (ansi %d, no_backslash %d): %.*s\n", what, text->ansi_quotes, text->no_backslash, (int)text->n,
		text->p);
	abort();
}

static void each_byte_is_in_one_token(const struct sql_text *text)
{
	const char *at = text->p;
	struct tokens t;

	tokens_read(&t, text, true);
	for (size_t i = 0; i < t.n; at += t.v[i++].n)
		if (t.v[i].p != at || !t.v[i].n)
			fail("tokens with a gap", text);
	if (at != text->p + text->n)
		fail("tokens end too early", text);
	tokens_done(&t);
}

static void there_and_back(const struct sql_text *text)
{
	const struct rename there = {"src", "q`x\"new", false}, again = {"src", NULL, false}, back = {"q`x\"new", NULL, false};
	struct rename_found first, left, came, had;
	struct sql_text made = *text;
	struct buf b;

	buf_init(&b, 1 << 20);
	rename_schema(NULL, &back, text, &had);
	rename_schema(&b, &there, text, &first);
	made.p = b.p ? b.p : "";
	made.n = b.len;
	rename_schema(NULL, &again, &made, &left);
	rename_schema(NULL, &back, &made, &came);
	if (left.qualifiers || came.qualifiers != first.qualifiers + had.qualifiers || left.texts != first.texts)
		fail("not all renamed, or too much", text);
	if (!first.qualifiers && (b.len != text->n || memcmp(made.p, text->p, b.len)))
		fail("changed without a reason", text);
	buf_done(&b);
}

void fuzz_one(const uint8_t *p, size_t n)
{
	/* a copy of its own size: a read behind it is found */
	CLEANUP(freep) char *copy = xmemdup(p, n);

	/* one sql_mode at a time: each length comes often */
	const struct sql_text text = {copy, n, n & 1, n & 2};

	each_byte_is_in_one_token(&text);
	there_and_back(&text);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
