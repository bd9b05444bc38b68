/* SPDX-License-Identifier: Apache-2.0 */
/* An archive and its sidecar out of any bytes, read in each way. The first byte of
 * the input says what the rest is: an archive (RAW), the members of one (MEMBERS),
 * or the lines of a sidecar and members (LINES), and whether it is read by its
 * index or found by a scan. Of the last two the frames, the
 * checksums in tar headers and the seek table are made here, so that what lies
 * behind them is reached; frames of stored blocks (RFC 8878, 3.1.1.2) cost nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/archive/frames.h"
#include "noded/archive/reader.h"
#include "noded/files/tar.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "tests/fuzz/fuzz.h"

enum { RAW, MEMBERS, LINES, MODES, FRAME_HEAD = 12, FRAMES_MAX = 64, CHECKSUM_AT = 148, CHECKSUM_LEN = 8, MAGIC_AT = 257 };

struct bytes { const char *p; };

void fuzz_begin(void)
{
}

/* ---- frames */

static void put_le(struct buf *b, uint64_t v, unsigned n)
{
	for (; n--; v >>= 8)
		buf_addc(b, (char)(v & 0xff));
}

/* One stored block; n is less than 128 KiB. */
static void put_frame(struct buf *b, const char *p, size_t n)
{
	put_le(b, 0xFD2FB528u, 4);
	put_le(b, 0xA0, 1);        /* one segment, its size in four bytes */
	put_le(b, n, 4);
	put_le(b, n << 3 | 1, 3);  /* the last block, stored */
	buf_add(b, p, n);
}

static void put_seek_table(struct buf *b, const uint32_t *raw, size_t frames)
{
	put_le(b, 0x184D2A5E, 4);
	put_le(b, frames * 8 + SEEK_FOOTER, 4);
	for (size_t i = 0; i < frames; i++) {
		put_le(b, raw[i] + FRAME_HEAD, 4);
		put_le(b, raw[i], 4);
	}
	put_le(b, frames, 4);
	put_le(b, 0, 1);
	put_le(b, 0x8F92EAB1u, 4);
}

static void right_checksums(char *p, size_t n)
{
	for (; n >= TAR_BLOCK; p += TAR_BLOCK, n -= TAR_BLOCK) {
		unsigned sum = CHECKSUM_LEN * ' ';

		if (memcmp(p + MAGIC_AT, "ustar", 5) != 0)
			continue;
		for (size_t i = 0; i < TAR_BLOCK; i++)
			sum += i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_LEN ? 0 : (uint8_t)p[i];
		snprintf(p + CHECKSUM_AT, CHECKSUM_LEN, "%06o", sum);
	}
}

/* Pieces: a byte k, then k blocks. Each becomes a frame. */
static void put_members(struct buf *b, const uint8_t *p, size_t n)
{
	uint32_t raw[FRAMES_MAX];
	size_t frames = 0;

	while (n && frames < FRAMES_MAX) {
		size_t len = (size_t)*p * TAR_BLOCK;

		p++;
		n--;
		len = len && len < n ? len : n;
		CLEANUP(freep) char *copy = xmemdup(p, len);

		right_checksums(copy, len);
		put_frame(b, copy, len);
		raw[frames++] = (uint32_t)len;
		p += len;
		n -= len;
	}
	put_seek_table(b, raw, frames);
}

/* Lines of the directory, then of each frame of the index, then a manifest; each ended by a NUL. Returns what is behind. */
static size_t put_sidecar(struct buf *b, const uint8_t *p, size_t n)
{
	const uint8_t *at = p, *end = p + n;
	size_t parts = *at % 8 + 1, directory = 0, manifest = 0;
	struct buf frames;

	buf_init(&frames, 1 << 24);
	at++;
	for (size_t i = 0; i < parts && at < end; i++) {
		const uint8_t *nul = memchr(at, 0, (size_t)(end - at));
		size_t len = (size_t)((nul ? nul : end) - at), before = frames.len;

		put_frame(&frames, (const char *)at, len);
		if (i == 0)
			directory = frames.len;
		else if (i == parts - 1)
			manifest = frames.len - before;
		at = nul ? nul + 1 : end;
	}
	buf_addf(b, "{\"format\":\"felloe-archive 1\"}\n{\"index\":1,\"members\":%u,\"directory\":%zu,\"bytes\":%zu,"
		 "\"manifest\":%zu}\n", *p / 8u, directory, frames.len - directory - manifest, manifest);
	buf_add(b, frames.p, frames.len);
	buf_done(&frames);
	return (size_t)(at - p);
}

/* ---- reading */

static int read_bytes(void *ctx, uint64_t offset, uint64_t n, archive_data_fn *data, void *data_ctx, struct err *e)
{
	const struct bytes *b = ctx;

	return data(data_ctx, b->p + offset, (size_t)n, e);
}

static void ignore(void *ctx UNUSED, const char *member UNUSED, const char *why UNUSED)
{
}

static int pass(void *ctx, const struct archive_entry *entry, struct err *e)
{
	struct archive_reader *r = ctx;
	struct buf small;

	if (entry->size > 4096)
		return 0;
	buf_init(&small, 1 << 16);
	(void)!archive_read_small(r, entry->name, &small, e);
	buf_done(&small);
	return 0;
}

static void use(struct archive_reader *r)
{
	static const char *const prefixes[] = {"files/a", "db/20-data/*", "db"};
	const struct archive_read_opts all = {.damaged = ignore}, some = {.damaged = ignore, .prefixes = prefixes, .n_prefixes = 3};
	struct archive_read_result res;
	struct buf manifest;
	struct err e = {0};

	buf_init(&manifest, 1 << 16);
	(void)!archive_manifest(r, &manifest, &e);
	buf_done(&manifest);
	(void)!archive_list(r, "files/", pass, r, &e);
	(void)!archive_read(r, &all, NULL, &res, &e);
	(void)!archive_read(r, &some, NULL, &res, &e);
	(void)!archive_check_sidecar(r, &e);
	(void)!archive_verify_parts(r, &all, NULL, &e);
}

static void read_all(const struct archive_object *archive, const struct archive_object *sidecar, bool scan)
{
	const struct archive_scan_opts so = {0};
	struct archive_scan_result found;
	struct archive_reader *r = NULL;
	struct err e = {0};

	if ((scan ? archive_scan(&r, archive, &so, &found, &e) : archive_open(&r, archive, sidecar, &e)) == 0)
		use(r);
	archive_close(r);
}

void fuzz_one(const uint8_t *p, size_t n)
{
	struct buf archive, side;
	size_t used;

	if (n < 3)
		return;
	buf_init(&archive, 1 << 24);
	buf_init(&side, 1 << 24);
	if (p[0] % MODES == RAW) { /* the second byte: how much of it is a sidecar */
		used = (n - 2) * p[1] / 255;
		buf_add(&side, p + 2, used);
		buf_add(&archive, p + 2 + used, n - 2 - used);
	} else {
		used = p[0] % MODES == LINES ? put_sidecar(&side, p + 1, n - 1) : 0;
		put_members(&archive, p + 1 + used, n - 1 - used);
	}
	/* copies of their own size: a read behind them is found */
	CLEANUP(freep) char *a = xmemdup(archive.p ? archive.p : "", archive.len), *s = xmemdup(side.p ? side.p : "", side.len);
	struct bytes all = {a}, lines = {s};
	const struct archive_object object = {read_bytes, &all, archive.len}, sidecar = {read_bytes, &lines, side.len};

	read_all(&object, side.len ? &sidecar : NULL, p[0] / MODES % 2);
	buf_done(&archive);
	buf_done(&side);
}

/* ---- where to begin: one archive, as it is, as members, as lines */

static const char *const names[] = {"db/20-data/t.00000.sql", "files/a"};
static const char content[] = "INSERT INTO t VALUES (1);\n", manifest[] = "{\"run\":\"20261123-031000\"}";

enum { MEMBER = 2 * TAR_BLOCK, FIRST_FRAME = ARRAY_LEN(names) * MEMBER };

static void put_member(struct buf *b, const char *name, const void *p, size_t n)
{
	struct tar_entry t = {.type = '0', .mode = 0600, .size = n};

	t.name = xstrdup(name);
	tar_put_header(b, &t);
	buf_add(b, p, n);
	for (size_t i = tar_padding(n); i; i--)
		buf_addc(b, 0);
	tar_entry_done(&t);
}

static void put_index(struct buf *b)
{
	uint8_t digest[SHA256_LEN];

	sha256(digest, content, strlen(content));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(freep) char *name = xstrdup(names[i]);
		struct archive_entry entry = {.name = name, .type = '0', .size = strlen(content),
					      .len = FIRST_FRAME + FRAME_HEAD, .skip = i * MEMBER, .mode = 0600};

		hex_encode(entry.sha256, digest, sizeof(digest));
		index_put_line(b, &entry);
	}
}

/* As put_members reads it. */
static void put_pieces(struct buf *b, const struct buf *index)
{
	struct buf piece;

	buf_init(&piece, 1 << 16);
	buf_addc(b, (char)(FIRST_FRAME / TAR_BLOCK));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		put_member(b, names[i], content, strlen(content));
	put_member(&piece, "index.jsonl", index->p, index->len);
	buf_addc(b, (char)(piece.len / TAR_BLOCK));
	buf_add(b, piece.p, piece.len);
	buf_reset(&piece);
	put_member(&piece, "manifest.json", manifest, strlen(manifest));
	buf_addc(b, (char)(piece.len / TAR_BLOCK));
	buf_add(b, piece.p, piece.len);
	buf_done(&piece);
}

static void put_seed(struct buf *b, unsigned mode)
{
	struct buf index, made;

	buf_init(&index, 1 << 16);
	buf_init(&made, 1 << 16);
	put_index(&index);
	buf_addc(b, (char)mode);
	if (mode % MODES == LINES) {
		buf_addc(b, ARRAY_LEN(names) * 8 + 2); /* so many members, three parts */
		buf_addf(b, "{\"at\":0,\"len\":%zu,\"raw\":%zu,\"first\":\"%s\"}\n", index.len + FRAME_HEAD, index.len, names[0]);
		buf_addc(b, 0);
		buf_add(b, index.p, index.len);
		buf_addc(b, 0);
		buf_add(b, manifest, sizeof(manifest)); /* with its NUL */
	}
	put_pieces(mode % MODES == RAW ? &made : b, &index);
	if (mode % MODES == RAW) {
		buf_addc(b, 0);
		put_members(b, (const uint8_t *)made.p, made.len);
	}
	buf_done(&index);
	buf_done(&made);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	struct buf b;
	size_t n;

	buf_init(&b, 1 << 16);
	if (i < (size_t)2 * MODES)
		put_seed(&b, (unsigned)i);
	n = b.len < max ? b.len : 0;
	memcpy(out, b.p ? b.p : "", n);
	buf_done(&b);
	return n;
}
