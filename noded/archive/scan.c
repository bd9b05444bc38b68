/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "noded/archive/lines.h"
#include "noded/archive/reader_priv.h"
#include "noded/archive/sort.h"
#include "shared/hash.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

/* An archive without an index: each frame that is sound by itself is a piece of a
 * tar, and a new member begins at a header. Between two sound frames the next one
 * is looked for by zstd's magic number. */

enum {
	STORED_MAX = FRAME_RAW + (FRAME_RAW >> 8) + (64 << 10), /* of a frame of ours, by zstd's bound */
	HEADER_MAX = 16 << 20,
	PROGRESS_BYTES = 1 << 20,
};

struct found_frame { uint64_t at; uint32_t stored; };

struct scan {
	struct archive_reader *r;
	const struct archive_scan_opts *o;
	struct archive_scan_result *res;
	struct buf stored;      /* bytes that are not judged yet */
	uint64_t at;            /* offset of the first of them */
	uint64_t said;
	bool in_gap;            /* behind damage */
	struct { LIST_OF(struct found_frame); } frames;
	struct buf raw;         /* the frame at work */
	/* the member at work */
	struct buf header;
	uint32_t header_frame, header_skip; /* where its first block is */
	struct tar_entry entry;
	bool open;
	uint64_t left;
	size_t padding;
	struct sha256 *hash;
	/* what is found */
	struct sort *sort;
	struct index_lines lines;
	bool index_whole;       /* so far */
	uint64_t index_at;      /* offset of its first frame */
	struct buf manifest;
	char *put;              /* name that went into the index last */
};

/* ---- members */

static void forget_member(struct scan *s)
{
	uint8_t digest[SHA256_LEN];

	if (s->open && s->entry.type == '0')
		sha256_end(s->hash, digest); /* begins anew */
	if (s->open)
		tar_entry_done(&s->entry);
	s->open = false;
	s->left = 0;
	s->padding = 0;
	buf_reset(&s->header);
}

/* Whole, or cut by damage: then its range ends too early, and reading it says so. */
static int note_member(struct scan *s, struct err *e)
{
	const struct tar_entry *t = &s->entry;
	struct sort_member m = {.name = t->name, .type = t->type, .mode = t->mode, .size = t->type == '0' ? t->size : 0,
				.real_size = t->sparse ? t->real_size : 0, .mtime_ns = t->mtime_ns,
				.frame = s->header_frame, .skip = s->header_skip,
				.last_frame = (uint32_t)s->frames.n - 1};

	if (str_eq(t->name, "manifest.json") || str_eq(t->name, "index.jsonl"))
		return 0;
	if (t->type == '0')
		sha256_end(s->hash, m.sha256);
	return sort_add(s->sort, &m, e);
}

/* Damage: what was open does not come to its end. */
static int lose_member(struct scan *s, struct err *e)
{
	int failed = s->open && note_member(s, e);

	if (s->open && str_eq(s->entry.name, "index.jsonl"))
		s->index_whole = false;
	if (s->open && str_eq(s->entry.name, "manifest.json"))
		buf_reset(&s->manifest);
	forget_member(s);
	return failed ? -1 : 0;
}

static int end_member(struct scan *s, struct err *e)
{
	int failed = note_member(s, e);

	if (str_eq(s->entry.name, "index.jsonl"))
		s->index_whole = s->index_whole && index_lines_end(&s->lines, NULL) == 0;
	s->res->members++;
	forget_member(s);
	return failed;
}

/* 0 taken, 1 this is no header. */
static int take_header(struct scan *s, const char *p, size_t n, size_t *took, struct err *e)
{
	size_t part = TAR_BLOCK - s->header.len % TAR_BLOCK, used;
	int got;

	if (!s->header.len) {
		s->header_frame = (uint32_t)s->frames.n - 1;
		s->header_skip = (uint32_t)(p - s->raw.p);
	}
	*took = part < n ? part : n;
	buf_add(&s->header, p, *took);
	if (s->header.over)
		return 1;
	if (s->header.len % TAR_BLOCK)
		return 0;
	got = tar_get_header(&s->entry, s->header.p, s->header.len, &used, NULL);
	if (got == 0)
		return 0;
	buf_reset(&s->header);
	if (got != 1)
		return 1;
	s->open = true;
	s->left = s->entry.type == '0' ? s->entry.size : 0;
	s->padding = tar_padding(s->left);
	if (str_eq(s->entry.name, "index.jsonl")) {
		s->index_whole = s->res->members > 0 && !s->index_at;
		s->index_at = s->frames.v[s->header_frame].at;
	}
	return s->left ? 0 : end_member(s, e);
}

static int take_content(struct scan *s, const char *p, size_t n, size_t *took, struct err *e)
{
	if (!s->left) {
		*took = s->padding < n ? s->padding : n;
		s->padding -= *took;
		return s->padding ? 0 : end_member(s, e);
	}
	*took = s->left < n ? (size_t)s->left : n;
	s->left -= *took;
	sha256_add(s->hash, p, *took);
	if (s->index_whole && str_eq(s->entry.name, "index.jsonl"))
		s->index_whole = index_lines_add(&s->lines, p, *took, NULL) == 0;
	if (str_eq(s->entry.name, "manifest.json"))
		buf_add(&s->manifest, p, *took);
	return s->left || s->padding ? 0 : end_member(s, e);
}

/* A sound frame. What is no header where one should be is the rest of a member
 * whose beginning is lost, or the end of the tar: the next frame may begin one. */
static int take_raw(struct scan *s, struct err *e)
{
	const char *p = s->raw.p;
	size_t n = s->raw.len;

	while (n) {
		size_t took = 0;
		int got = s->open ? take_content(s, p, n, &took, e) : take_header(s, p, n, &took, e);

		if (got < 0)
			return -1;
		if (got == 1) {
			forget_member(s);
			return 0;
		}
		p += took;
		n -= took;
	}
	return 0;
}

/* ---- frames */

static int begin_gap(struct scan *s, struct err *e)
{
	if (!s->in_gap)
		s->res->places++;
	s->in_gap = true;
	return lose_member(s, e);
}

/* Nothing sound begins here: on to the next place where a frame may. */
static int pass_damage(struct scan *s, struct err *e)
{
	static const char magic[] = {0x28, (char)0xb5, 0x2f, (char)0xfd}; /* RFC 8878, 3.1.1 */
	const char *next = s->stored.len > sizeof(magic) ?
			   memmem(s->stored.p + 1, s->stored.len - 1, magic, sizeof(magic)) : NULL;
	size_t keep = sizeof(magic) - 1; /* it may begin in the last bytes */
	size_t n = next ? (size_t)(next - s->stored.p) : s->stored.len > keep ? s->stored.len - keep : s->stored.len;

	s->res->lost += n;
	s->at += n;
	buf_drop(&s->stored, n);
	return begin_gap(s, e);
}

/* 1 a frame was taken or passed, 0 more bytes are needed. */
static int take_frame(struct scan *s, bool last, struct err *e)
{
	size_t size = 0;
	int got = frame_measure(&size, s->stored.p, s->stored.len, NULL);

	if (got == 0 && !last && s->stored.len < STORED_MAX)
		return 0;
	if (got != 1 || size > STORED_MAX || frame_decompress(&s->raw, s->stored.p, size, NULL) ||
	    s->frames.n == UINT32_MAX)
		return pass_damage(s, e) ? -1 : 1;
	if (!s->raw.len) { /* skippable: a seek table that could not be used */
		s->at += size;
		buf_drop(&s->stored, size);
		return 1;
	}
	*list_push(&s->frames) = (struct found_frame){s->at, (uint32_t)size};
	s->res->frames++;
	s->in_gap = false;
	s->at += size;
	buf_drop(&s->stored, size);
	return take_raw(s, e) ? -1 : 1;
}

static int on_data(void *ctx, const void *p, size_t n, struct err *e)
{
	struct scan *s = ctx;
	int got = 1;

	s->res->fetched += n;
	if (s->o->stop && s->o->stop(s->o->ctx))
		return err_set(e, ERR_ABORTED, "stopped");
	if (s->o->progress && s->res->fetched - s->said >= PROGRESS_BYTES) {
		s->said = s->res->fetched;
		s->o->progress(s->o->ctx, s->res->fetched);
	}
	buf_add(&s->stored, p, n);
	if (buf_check(&s->stored, "a piece of the archive", e))
		return -1;
	while (s->stored.len && got == 1)
		got = take_frame(s, false, e);
	return got < 0 ? -1 : 0;
}

/* ---- the index */

static int put_entry(void *ctx, const struct sort_member *m, struct err *e)
{
	struct scan *s = ctx;
	const struct found_frame *first = &s->frames.v[m->frame], *end = &s->frames.v[m->last_frame];
	CLEANUP(freep) char *name = xstrdup(m->name);
	CLEANUP(buf_done) struct buf line = {0};
	struct archive_entry entry = {.name = name, .type = m->type, .size = m->size, .real_size = m->real_size,
				      .at = first->at, .len = end->at + end->stored - first->at, .skip = m->skip,
				      .mode = m->mode, .mtime_ns = m->mtime_ns};

	if (s->put && str_eq(s->put, m->name))
		return 0; /* a frame is there twice */
	free(s->put);
	s->put = xstrdup(m->name);
	if (m->type == '0')
		hex_encode(entry.sha256, m->sha256, SHA256_LEN);
	buf_init(&line, HEADER_MAX);
	index_put_line(&line, &entry);
	return buf_check(&line, "a line of the index", e) ||
	       index_blocks_add(&s->r->local, name, line.p, line.len, e) ? -1 : 0;
}

/* Its own index, when it is whole and speaks of these offsets; else what was seen. */
static int make_index(struct scan *s, struct err *e)
{
	s->res->indexed = s->index_whole && s->lines.end == s->index_at;
	if (s->res->indexed)
		return reader_use_local(s->r, e);
	index_blocks_done(&s->r->local);
	index_blocks_init(&s->r->local);
	if (sort_each(s->sort, put_entry, s, e) || index_blocks_end(&s->r->local, e))
		return -1;
	return reader_use_local(s->r, e);
}

/* The seek table is no damage, and without a frame in it. */
static uint64_t end_of_frames(struct archive_reader *r)
{
	return reader_load_table(r, NULL) == 0 ? r->table_at : r->archive.size;
}

static int run(struct scan *s, struct err *e)
{
	uint64_t n = end_of_frames(s->r);
	int got = 1;

	if (n && s->r->archive.read_at(s->r->archive.ctx, 0, n, on_data, s, e))
		return -1;
	while (s->stored.len && got == 1)
		got = take_frame(s, true, e);
	if (got < 0 || lose_member(s, e))
		return -1;
	if (!s->res->frames)
		return err_set(e, ERR_DAMAGED, "there is no sound frame in it: not a felloe archive, or nothing of it is left");
	return make_index(s, e);
}

int archive_scan(struct archive_reader **ret, const struct archive_object *archive, const struct archive_scan_opts *o,
		 struct archive_scan_result *res, struct err *e)
{
	CLEANUP(archive_closep) struct archive_reader *r = reader_new(archive);
	struct scan s = {.r = r, .o = o, .res = res, .hash = sha256_new(), .sort = sort_new()};
	int failed;

	*res = (struct archive_scan_result){0};
	r->scanned = true;
	buf_init(&s.stored, STORED_MAX + (16 << 20));
	buf_init(&s.raw, FRAME_RAW_MAX);
	buf_init(&s.header, HEADER_MAX);
	buf_init(&s.manifest, FRAME_RAW_MAX);
	index_lines_init(&s.lines, &r->local);
	failed = run(&s, e);
	forget_member(&s);
	buf_done(&s.stored);
	buf_done(&s.raw);
	buf_done(&s.header);
	index_lines_done(&s.lines);
	sha256_free(s.hash);
	sort_free(s.sort);
	list_done(&s.frames);
	free(s.put);
	r->manifest = s.manifest;
	if (failed)
		return -1;
	*ret = TAKE(r);
	return 0;
}
