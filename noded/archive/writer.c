/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/archive/writer.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "noded/archive/frames.h"
#include "noded/archive/index.h"
#include "noded/archive/sort.h"
#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	LONG_MEMBER = 1 << 20,  /* longer members have frames of their own */
	HEADER_MAX = 16 << 20,
	LINES_CAP = 4 << 20,
	SIDECAR_LEVEL = 3,
};

struct archive_writer {
	struct frames *frames;
	char *frame;            /* the one that is being filled, or NULL */
	size_t used;
	uint32_t frame_no;      /* its number */
	atomic_uint_fast64_t bytes_in;
	uint64_t members;
	struct buf header;
	/* the member that is being written */
	struct sort_member m;
	char *name;
	uint64_t left;          /* bytes still to come */
	bool open, alone;       /* alone: in frames of its own */
	struct sha256 *hash;
	/* the end */
	struct sort *sort;
	struct index_blocks blocks;
	struct spill lines;     /* index.jsonl */
	struct buf manifest;    /* its frame, for the sidecar */
	uint64_t *at;           /* offset of each frame, and the end */
	size_t frames_n;
	bool finished;
	struct tar_sink sink;
};

int archive_writer_new(struct archive_writer **ret, const struct archive_writer_opts *o, struct err *e)
{
	const struct frames_opts frames = {.level = o->level, .threads = o->threads, .adaptive = o->adaptive,
					   .out = o->out, .ctx = o->ctx};
	struct archive_writer *w = xcalloc(1, sizeof(*w));

	if (frames_new(&w->frames, &frames, e)) {
		free(w);
		return -1;
	}
	w->hash = sha256_new();
	w->sort = sort_new();
	buf_init(&w->header, HEADER_MAX);
	buf_init(&w->manifest, FRAME_RAW_MAX + (1 << 20));
	index_blocks_init(&w->blocks);
	spill_init(&w->lines, LINES_CAP);
	*ret = w;
	return 0;
}

void archive_writer_free(struct archive_writer *w)
{
	if (!w)
		return;
	frames_free(w->frames);
	sha256_free(w->hash);
	sort_free(w->sort);
	buf_done(&w->header);
	buf_done(&w->manifest);
	index_blocks_done(&w->blocks);
	spill_done(&w->lines);
	free(w->name);
	free(w->at);
	free(w);
}

void archive_writer_freep(struct archive_writer **w)
{
	archive_writer_free(*w);
}

/* ---- bytes into frames */

static int end_frame(struct archive_writer *w, struct err *e)
{
	size_t n = w->used;

	if (n == 0)
		return 0;
	w->frame = NULL;
	w->used = 0;
	w->frame_no++;
	return frames_put(w->frames, n, e);
}

/* p NULL: zeros */
static int put(struct archive_writer *w, const char *p, size_t n, struct err *e)
{
	atomic_fetch_add(&w->bytes_in, n);
	while (n) {
		size_t part = FRAME_RAW - w->used < n ? FRAME_RAW - w->used : n;

		if (part == 0) {
			if (end_frame(w, e))
				return -1;
			continue;
		}
		if (!w->frame && frames_room(w->frames, &w->frame, e))
			return -1;
		if (p)
			memcpy(w->frame + w->used, p, part);
		else
			memset(w->frame + w->used, 0, part);
		p = p ? p + part : NULL;
		w->used += part;
		n -= part;
	}
	return 0;
}

/* ---- members */

static int archive_begin(struct archive_writer *w, const struct tar_entry *entry, struct err *e)
{
	uint64_t size = entry->type == '0' ? entry->size : 0;

	if (w->open || w->finished)
		return err_set(e, ERR_INTERNAL, "member %s begins before %s has ended", entry->name, str_or(w->name, "-"));
	buf_reset(&w->header);
	tar_put_header(&w->header, entry);
	if (buf_check(&w->header, entry->name, e))
		return -1;
	w->alone = size > LONG_MEMBER || w->header.len + size + tar_padding(size) > FRAME_RAW;
	if ((w->alone || w->used + w->header.len + size + tar_padding(size) > FRAME_RAW) && end_frame(w, e))
		return -1;
	free(w->name);
	w->name = xstrdup(entry->name);
	w->m = (struct sort_member){.name = w->name, .type = entry->type, .mode = entry->mode, .size = size,
				    .real_size = entry->sparse ? entry->real_size : 0, .mtime_ns = entry->mtime_ns,
				    .frame = w->frame_no, .skip = (uint32_t)w->used};
	w->left = size;
	w->open = true;
	return put(w, w->header.p, w->header.len, e);
}

static int archive_write(struct archive_writer *w, const void *p, size_t n, struct err *e)
{
	if (!w->open || n > w->left)
		return err_set(e, ERR_INTERNAL, "more bytes than the header of %s says", str_or(w->name, "-"));
	w->left -= n;
	sha256_add(w->hash, p, n);
	return put(w, p, n, e);
}

static int archive_end(struct archive_writer *w, struct err *e)
{
	if (!w->open || w->left)
		return err_set(e, ERR_INTERNAL, "fewer bytes than the header of %s says", str_or(w->name, "-"));
	w->open = false;
	w->members++;
	sha256_end(w->hash, w->m.sha256);
	if (put(w, NULL, tar_padding(w->m.size), e))
		return -1;
	w->m.last_frame = w->used ? w->frame_no : w->frame_no - 1;
	if (w->alone && end_frame(w, e))
		return -1;
	return sort_add(w->sort, &w->m, e);
}

/* A regular file of ours: root's, private, of now. */
int archive_begin_own(struct archive_writer *w, const char *name, uint64_t size, struct err *e)
{
	CLEANUP(freep) char *copy = xstrdup(name);
	struct tar_entry entry = {.name = copy, .type = '0', .mode = 0600, .size = size,
				  .mtime_ns = clock_ms() / 1000 * 1000000000};

	return archive_begin(w, &entry, e);
}

int archive_add(struct archive_writer *w, const char *name, const void *p, size_t n, struct err *e)
{
	if (archive_begin_own(w, name, n, e) || archive_write(w, p, n, e))
		return -1;
	return archive_end(w, e);
}

static int sink_begin(void *w, const struct tar_entry *entry, struct err *e)
{
	return archive_begin(w, entry, e);
}

static int sink_write(void *w, const void *p, size_t n, struct err *e)
{
	return archive_write(w, p, n, e);
}

static int sink_end(void *w, struct err *e)
{
	return archive_end(w, e);
}

const struct tar_sink *archive_writer_sink(struct archive_writer *w)
{
	w->sink = (struct tar_sink){.begin = sink_begin, .write = sink_write, .end = sink_end, .ctx = w};
	return &w->sink;
}

int archive_lowest_level(const struct archive_writer *w)
{
	return frames_lowest(w->frames);
}

void archive_progress(const struct archive_writer *w, uint64_t *in, uint64_t *stored)
{
	*in = atomic_load(&w->bytes_in);
	*stored = frames_stored(w->frames);
}

/* ---- the end */

/* Every frame is out: offsets are known. */
static void take_offsets(struct archive_writer *w)
{
	const struct frame_size *table = frames_table(w->frames, &w->frames_n);

	w->at = xcalloc(w->frames_n + 1, sizeof(*w->at));
	for (size_t i = 0; i < w->frames_n; i++)
		w->at[i + 1] = w->at[i] + table[i].stored;
}

static int on_member(void *ctx, const struct sort_member *m, struct err *e)
{
	struct archive_writer *w = ctx;
	CLEANUP(freep) char *name = xstrdup(m->name);
	struct archive_entry entry = {.name = name, .type = m->type, .size = m->size, .real_size = m->real_size,
				      .skip = m->skip, .mode = m->mode, .mtime_ns = m->mtime_ns};

	if (m->last_frame >= w->frames_n)
		return err_set(e, ERR_INTERNAL, "%s ends behind the last frame", m->name);
	entry.at = w->at[m->frame];
	entry.len = w->at[m->last_frame + 1] - entry.at;
	if (m->type == '0')
		hex_encode(entry.sha256, m->sha256, SHA256_LEN);
	buf_reset(&w->header);
	index_put_line(&w->header, &entry);
	if (buf_check(&w->header, "a line of the index", e) ||
	    index_blocks_add(&w->blocks, m->name, w->header.p, w->header.len, e))
		return -1;
	return spill_add(&w->lines, w->header.p, w->header.len, e);
}

static int add_index(struct archive_writer *w, struct err *e)
{
	CLEANUP(freep) char *part = xmalloc(64 << 10);
	uint64_t len = spill_len(&w->lines), at = 0;

	if (archive_begin_own(w, "index.jsonl", len, e))
		return -1;
	while (at < len) {
		size_t n = len - at < 64 << 10 ? (size_t)(len - at) : 64 << 10;

		if (spill_read(&w->lines, at, part, n, e) || archive_write(w, part, n, e))
			return -1;
		at += n;
	}
	return archive_end(w, e);
}

int archive_finish(struct archive_writer *w, const char *manifest_json, size_t manifest_len, struct archive_sum *ret,
		   struct err *e)
{
	if (w->open || w->finished)
		return err_set(e, ERR_INTERNAL, "the archive ends inside %s", str_or(w->name, "-"));
	if (end_frame(w, e) || frames_flush(w->frames, e))
		return -1;
	take_offsets(w);
	if (sort_each(w->sort, on_member, w, e) || index_blocks_end(&w->blocks, e) || add_index(w, e) ||
	    end_frame(w, e) || archive_add(w, "manifest.json", manifest_json, manifest_len, e) ||
	    put(w, NULL, (size_t)2 * TAR_BLOCK, e) || end_frame(w, e) || frames_flush(w->frames, e) ||
	    frames_seek_table(w->frames, e) ||
	    frame_compress(&w->manifest, SIDECAR_LEVEL, manifest_json, manifest_len, e))
		return -1;
	w->finished = true;
	spill_done(&w->lines);
	ret->bytes_in = atomic_load(&w->bytes_in);
	ret->bytes_stored = frames_stored(w->frames);
	ret->members = w->members;
	return 0;
}

int archive_sidecar_to(struct archive_writer *w, const char *header_json, archive_out_fn *fn, void *ctx, struct err *e)
{
	CLEANUP(freep) char *part = xmalloc(64 << 10);
	uint64_t len = spill_len(&w->blocks.frames), at = 0;
	struct buf head;
	int failed;

	if (!w->finished || strchr(header_json, '\n'))
		return err_set(e, ERR_INTERNAL, "the sidecar needs a finished archive and a header of one line");
	buf_init(&head, FRAME_RAW_MAX);
	buf_adds(&head, header_json);
	buf_addc(&head, '\n');
	failed = index_blocks_head(&w->blocks, w->manifest.len, &head, e) || fn(ctx, head.p, head.len, e);
	buf_done(&head);
	while (!failed && at < len) {
		size_t n = len - at < 64 << 10 ? (size_t)(len - at) : 64 << 10;

		failed = spill_read(&w->blocks.frames, at, part, n, e) || fn(ctx, part, n, e);
		at += n;
	}
	return failed || fn(ctx, w->manifest.p, w->manifest.len, e) ? -1 : 0;
}
