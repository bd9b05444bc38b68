/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/archive/reader.h"

#include <stdlib.h>
#include <string.h>

#include "noded/archive/frames.h"
#include "noded/archive/lines.h"
#include "noded/archive/reader_priv.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	HEAD_FIRST = 64 << 10,  /* bytes of a sidecar that are fetched at first */
	HEAD_MAX = 4 << 20,     /* its header lines */
	TABLE_MAX = SEEK_FRAMES_MAX * 8 + 17,
};

/* ---- bytes of an object into a buffer */

static int into_buf(void *ctx, const void *p, size_t n, struct err *e)
{
	struct buf *b = ctx;

	buf_add(b, p, n);
	return buf_check(b, "a piece of the archive", e);
}

static int fetch(const struct archive_object *o, uint64_t offset, uint64_t n, struct buf *b, struct err *e)
{
	if (offset > o->size || n > o->size - offset)
		return err_set(e, ERR_DAMAGED, "the object ends at %llu bytes, %llu at %llu were asked for",
			       (unsigned long long)o->size, (unsigned long long)n, (unsigned long long)offset);
	if (n && o->read_at(o->ctx, offset, n, into_buf, b, e))
		return -1;
	return 0;
}

/* ---- the index from a sidecar */

static int fetch_from_sidecar(void *ctx, uint64_t offset, uint64_t n, struct buf *b, struct err *e)
{
	struct archive_reader *r = ctx;

	buf_reset(b);
	return fetch(&r->sidecar, r->frames_at + offset, n, b, e) ? err_wrap(e, "sidecar") : 0;
}

/* Fetch more until two lines are there; their ends go to line[]. */
static int fetch_lines(const struct archive_object *o, struct buf *b, size_t line[2], struct err *e)
{
	uint64_t want = HEAD_FIRST;

	for (;;) {
		const char *first, *second = NULL;

		want = want < o->size ? want : o->size;
		if (fetch(o, b->len, want - b->len, b, e))
			return -1;
		first = memchr(b->p, '\n', b->len);
		if (first)
			second = memchr(first + 1, '\n', (size_t)(b->p + b->len - first - 1));
		if (second) {
			line[0] = (size_t)(first - b->p);
			line[1] = (size_t)(second - b->p);
			return 0;
		}
		if (want == o->size || want >= HEAD_MAX)
			return err_set(e, ERR_DAMAGED, "not a sidecar: its two header lines are not there");
		want *= 4;
	}
}

static int read_header(struct archive_reader *r, const char *p, size_t n, struct err *e)
{
	const char *format;

	if (json_parse(&r->header, p, n, NULL))
		return err_set(e, ERR_DAMAGED, "the sidecar's header is not JSON");
	format = json_get_str(r->header, "format", "");
	if (!str_eq(format, "felloe-archive 1"))
		return err_set(e, ERR_INVALID, "the sidecar's format is \"%.60s\", this program reads \"felloe-archive 1\"",
			       format);
	return 0;
}

struct index_head { int64_t members, directory, bytes, manifest; };

static int read_index_head(struct index_head *ret, const char *p, size_t n, struct err *e)
{
	CLEANUP(json_freep) struct json *j = NULL;

	if (json_parse(&j, p, n, NULL))
		return err_set(e, ERR_DAMAGED, "the sidecar's second line is not JSON");
	if (json_get_int(j, "index", 0) != 1)
		return err_set(e, ERR_INVALID, "the sidecar's index is of version %lld, this program reads 1",
			       (long long)json_get_int(j, "index", 0));
	*ret = (struct index_head){json_get_int(j, "members", -1), json_get_int(j, "directory", -1),
				   json_get_int(j, "bytes", -1), json_get_int(j, "manifest", 0)};
	if (ret->manifest < 0 || ret->manifest > FRAME_RAW_MAX || ret->members < 0 || ret->directory <= 0 || ret->directory > FRAME_RAW_MAX || ret->bytes < 0)
		return err_set(e, ERR_DAMAGED, "the sidecar's second line has a number that cannot be");
	return 0;
}

static int read_directory(struct archive_reader *r, struct buf *head, size_t from, const struct index_head *h,
			  struct err *e)
{
	struct buf directory;
	int failed = 0;
	size_t size = (size_t)h->directory;

	if (head->len < from + size) /* the directory reaches past what is there */
		failed = fetch(&r->sidecar, head->len, from + size - head->len, head, e);
	buf_init(&directory, FRAME_RAW_MAX);
	failed = failed || frame_decompress(&directory, head->p + from, size, e) ||
		 index_new(&r->index, &directory, (uint64_t)h->members, fetch_from_sidecar, r, e);
	buf_done(&directory);
	r->frames_at = from + size;
	if (!failed && index_stored(r->index) != (uint64_t)h->bytes)
		failed = err_set(e, ERR_DAMAGED, "the directory does not agree with the sidecar's second line");
	r->manifest_at = r->frames_at + (uint64_t)h->bytes;
	r->manifest_len = (uint64_t)h->manifest;
	return failed ? -1 : 0;
}

static int open_sidecar(struct archive_reader *r, struct err *e)
{
	struct index_head h;
	struct buf head;
	size_t line[2];
	int failed;

	buf_init(&head, (size_t)HEAD_MAX * 4 + FRAME_RAW_MAX);
	failed = fetch_lines(&r->sidecar, &head, line, e) || read_header(r, head.p, line[0], e) ||
		 read_index_head(&h, head.p + line[0] + 1, line[1] - line[0] - 1, e) ||
		 read_directory(r, &head, line[1] + 1, &h, e);
	buf_done(&head);
	return failed ? err_wrap(e, "sidecar") : 0;
}

/* ---- the seek table, and members that only it finds */

int reader_load_table(struct archive_reader *r, struct err *e)
{
	uint64_t size = 0, sum = 0, total = r->archive.size;
	struct buf b;
	int failed;

	if (r->table)
		return 0;
	if (total < SEEK_FOOTER)
		return err_set(e, ERR_DAMAGED, "the archive has only %llu bytes", (unsigned long long)total);
	buf_init(&b, TABLE_MAX);
	failed = fetch(&r->archive, total - SEEK_FOOTER, SEEK_FOOTER, &b, e) || seek_table_size(&size, b.p, e);
	if (!failed && size > total)
		failed = err_set(e, ERR_DAMAGED, "the seek table is longer than the archive");
	buf_reset(&b);
	failed = failed || fetch(&r->archive, total - size, size, &b, e) ||
		 seek_table_read(&r->table, &r->n_table, b.p, b.len, e);
	buf_done(&b);
	if (failed)
		return -1;
	for (size_t i = 0; i < r->n_table; i++)
		sum += r->table[i].stored;
	if (sum != total - size) {
		free(r->table);
		r->table = NULL;
		return err_set(e, ERR_DAMAGED, "the seek table does not agree with the size of the archive");
	}
	r->table_at = total - size;
	return 0;
}

/* The frame at offset at begins with the header of a member: its name (yours),
 * else NULL. */
static int first_name(struct archive_reader *r, uint64_t at, size_t stored, char **ret, struct err *e)
{
	struct tar_entry entry;
	struct buf b, raw;
	size_t used;
	int failed;

	*ret = NULL;
	buf_init(&b, FRAME_RAW_MAX + (1 << 20));
	buf_init(&raw, FRAME_RAW_MAX);
	failed = fetch(&r->archive, at, stored, &b, e) || frame_decompress(&raw, b.p, b.len, e);
	if (!failed && tar_get_header(&entry, raw.p, raw.len, &used, NULL) == 1) {
		*ret = xstrdup(entry.name);
		tar_entry_done(&entry);
	}
	buf_done(&b);
	buf_done(&raw);
	return failed;
}

/* Where the frames of index.jsonl or manifest.json are: back from the end. */
static int find_tail(struct archive_reader *r, const char *name, struct unpack_range *ret, struct err *e)
{
	uint64_t at, end;

	if (reader_load_table(r, e))
		return -1;
	at = end = r->table_at;
	for (size_t i = r->n_table; i-- > 0;) {
		CLEANUP(freep) char *first = NULL;

		at -= r->table[i].stored;
		if (first_name(r, at, r->table[i].stored, &first, e))
			return err_wrap(e, "look for %s", name);
		if (str_eq(first, name)) {
			*ret = (struct unpack_range){at, end - at};
			return 0;
		}
		if (first && !str_eq(first, "manifest.json"))
			break;
		if (first)
			end = at;
	}
	return err_set(e, ERR_DAMAGED, "%s is not at the end of the archive", name);
}

/* ---- the index from the archive itself */

static int fetch_from_local(void *ctx, uint64_t offset, uint64_t n, struct buf *b, struct err *e)
{
	struct archive_reader *r = ctx;
	char *at;

	buf_reset(b);
	at = buf_room(b, (size_t)n);
	if (!at)
		return buf_check(b, "a frame of the index", e);
	if (spill_read(&r->local.frames, offset, at, (size_t)n, e))
		return -1;
	buf_grew(b, (size_t)n);
	return 0;
}

static int on_lines(void *ctx, const void *p, size_t n, struct err *e)
{
	return index_lines_add(ctx, p, n, e);
}

int reader_use_local(struct archive_reader *r, struct err *e)
{
	return index_new(&r->index, &r->local.directory, r->local.members, fetch_from_local, r, e);
}

static int open_without_sidecar(struct archive_reader *r, struct err *e)
{
	CLEANUP(index_lines_done) struct index_lines l;
	struct unpack_range range;

	index_lines_init(&l, &r->local);
	if (find_tail(r, "index.jsonl", &range, e) ||
	    reader_one(r, &(struct one){"index.jsonl", range, on_lines, &l, false}, e) || index_lines_end(&l, e))
		return -1;
	return reader_use_local(r, e);
}

struct archive_reader *reader_new(const struct archive_object *archive)
{
	struct archive_reader *r = xcalloc(1, sizeof(*r));

	r->archive = *archive;
	index_blocks_init(&r->local);
	return r;
}

int archive_open(struct archive_reader **ret, const struct archive_object *archive,
		 const struct archive_object *sidecar, struct err *e)
{
	CLEANUP(archive_closep) struct archive_reader *r = reader_new(archive);

	if (sidecar) {
		r->sidecar = *sidecar;
		if (open_sidecar(r, e))
			return -1;
	} else if (open_without_sidecar(r, e)) {
		return -1;
	}
	*ret = TAKE(r);
	return 0;
}

void archive_close(struct archive_reader *r)
{
	if (!r)
		return;
	index_free(r->index);
	index_blocks_done(&r->local);
	buf_done(&r->manifest);
	json_free(r->header);
	free(r->table);
	free(r);
}

void archive_closep(struct archive_reader **r)
{
	archive_close(*r);
}

/* ---- look-up */

int archive_list(struct archive_reader *r, const char *prefix, archive_entry_fn *fn, void *ctx, struct err *e)
{
	return index_list(r->index, prefix, fn, ctx, e);
}

static int manifest_of_sidecar(struct archive_reader *r, struct buf *b, struct err *e)
{
	struct buf stored;
	int failed;

	buf_init(&stored, FRAME_RAW_MAX + (1 << 20));
	failed = fetch(&r->sidecar, r->manifest_at, r->manifest_len, &stored, e) ||
		 frame_decompress(b, stored.p, stored.len, e);
	buf_done(&stored);
	return failed ? err_wrap(e, "manifest in the sidecar") : 0;
}

int archive_manifest(struct archive_reader *r, struct buf *b, struct err *e)
{
	struct err why;

	if (r->manifest.len) {
		buf_add(b, r->manifest.p, r->manifest.len);
		return buf_check(b, "the manifest", e);
	}
	if (r->scanned)
		return err_set(e, ERR_DAMAGED, "manifest.json is lost");
	if (r->manifest_len) {
		if (manifest_of_sidecar(r, b, &why) == 0)
			return 0;
		if (why.kind != ERR_DAMAGED) {
			if (e)
				*e = why;
			return -1;
		}
		buf_reset(b);
	}
	return archive_read_small(r, "manifest.json", b, e);
}

static int pass_over(void *ctx UNUSED, const struct archive_entry *entry UNUSED, struct err *e UNUSED)
{
	return 0;
}

int archive_check_sidecar(struct archive_reader *r, struct err *e)
{
	struct buf manifest;
	int failed;

	if (!r->header)
		return 0;
	buf_init(&manifest, FRAME_RAW_MAX);
	failed = archive_list(r, "", pass_over, NULL, e) || (r->manifest_len && manifest_of_sidecar(r, &manifest, e));
	buf_done(&manifest);
	return failed ? -1 : 0;
}

const struct json *archive_header(const struct archive_reader *r)
{
	return r->header;
}

int archive_read_small(struct archive_reader *r, const char *name, struct buf *b, struct err *e)
{
	const struct archive_entry *found;
	struct unpack_range range;

	if (str_eq(name, "index.jsonl") || str_eq(name, "manifest.json")) {
		if (find_tail(r, name, &range, e))
			return -1;
		return reader_one(r, &(struct one){name, range, into_buf, b, false}, e);
	}
	if (index_find(r->index, name, NULL, &found, e))
		return -1;
	if (!found)
		return err_set(e, ERR_NOTFOUND, "%s is not in the archive", name);
	range = (struct unpack_range){found->at, found->len};
	return reader_one(r, &(struct one){name, range, into_buf, b, true}, e);
}
