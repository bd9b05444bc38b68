/* SPDX-License-Identifier: Apache-2.0 */
/* Tar headers and maps of sparse files out of any bytes: what was read can be
 * written, and reads as the same. */
#include "noded/files/tar.c"

#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

void fuzz_begin(void)
{
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void there_and_back(const struct tar_entry *t)
{
	struct tar_entry again;
	struct buf b;
	struct err e = {0};
	size_t used;

	buf_init(&b, 16 << 20);
	tar_put_header(&b, t);
	if (!b.over && tar_get_header(&again, b.p, b.len, &used, &e) != 1) {
		fprintf(stderr, "written, but not read: %s\n", e.msg);
		abort();
	}
	if (!b.over) {
		if (used != b.len || !same_text(t->name, again.name) || !same_text(t->link, again.link) || t->type != again.type ||
		    t->size != again.size || t->mtime_ns != again.mtime_ns || t->xattrs.n != again.xattrs.n)
			abort();
		tar_entry_done(&again);
	}
	buf_done(&b);
}

void fuzz_one(const uint8_t *p, size_t n)
{
	/* of its own size: a read behind it is found */
	CLEANUP(freep) uint8_t *copy = xmemdup(p, n);
	struct tar_entry t;
	struct tar_map map;
	size_t used;

	/* checksums made right, so that what lies behind them is reached */
	for (size_t at = 0; at + TAR_BLOCK <= n; at += TAR_BLOCK) {
		struct ustar h;

		memcpy(&h, copy + at, sizeof(h));
		if (memcmp(h.magic, "ustar", 5) == 0)
			put_octal(h.chksum, sizeof(h.chksum) - 1, checksum(&h));
		memcpy(copy + at, &h, sizeof(h));
	}
	if (tar_get_header(&t, copy, n, &used, NULL) == 1) {
		there_and_back(&t);
		tar_entry_done(&t);
	}
	if (tar_get_map(&map, UINT64_MAX / 2, copy, n, &used, NULL) == 1 && used > n)
		abort();
	list_done(&map);
}

static void put_seed(struct buf *b, size_t i)
{
	static char value[] = "\1\0v", name[] = "user.a", group[] = "gr\xC3\xBCn", link[] = "../to";
	struct tar_xattr xattr = {name, value, sizeof(value)};
	static const struct tar_run runs[] = {{0, 512}, {4096, 1}, {1 << 20, 77}};
	struct tar_entry t = {.type = "0215"[i % 4], .mode = 0644, .uid = 1000, .gid = 5000000, .gname = group, .size = 5, .mtime_ns = -1,
			      .link = link};
	CLEANUP(freep) char *path = xasprintf("%0*d/\xC3\xA9", i % 2 ? 3 : 300, 7);

	t.name = path;
	if (i % 4 == 0) {
		t.sparse = true;
		t.real_size = 1 << 21;
		t.xattrs.v = &xattr;
		t.xattrs.n = 1;
	}
	if (i < 4)
		tar_put_header(b, &t);
	else if (i == 4)
		tar_put_map(b, runs, ARRAY_LEN(runs));
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	struct buf b;
	size_t n;

	buf_init(&b, 1 << 20);
	put_seed(&b, i);
	n = b.len < max ? b.len : 0;
	memcpy(out, b.p ? b.p : "", n);
	buf_done(&b);
	return n;
}
