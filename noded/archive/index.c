/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/archive/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/archive/frames.h"
#include "shared/json.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	BLOCK_RAW = 64 << 10,
	LINE_MAX_BYTES = 1 << 20,
	DIRECTORY_MAX = FRAME_RAW_MAX - 1,
	SPILL_CAP = 4 << 20,
	LEVEL = 3,
	NS = 1000000000,
	CACHED = 4,             /* decoded frames kept: archive order is nearly name order */
};

static const struct { char type; const char *name; } types[] = {
	{'0', "file"}, {'1', "hardlink"}, {'2', "symlink"}, {'3', "chr"}, {'4', "blk"}, {'5', "dir"}, {'6', "fifo"},
};

void archive_entry_done(struct archive_entry *entry)
{
	free(entry->name);
	*entry = (struct archive_entry){0};
}

/* ---- lines */

/* key for text, key_b64 for bytes that are not */
static void put_name(struct json_out *o, const char *key, const char *key_b64, const char *name)
{
	CLEANUP(freep) char *b64 = NULL;

	if (str_utf8_valid(name, strlen(name))) {
		json_put_str(o, key, name);
		return;
	}
	b64 = base64_encode(name, strlen(name));
	json_put_str(o, key_b64, b64);
}

static char *get_name(const struct json *j, const char *key, const char *key_b64)
{
	const char *name = json_get_str(j, key, NULL), *b64 = json_get_str(j, key_b64, NULL);
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n;

	if (name)
		return *name ? xstrdup(name) : NULL;
	if (!b64 || base64_decode(&bytes, &n, b64) || n == 0 || memchr(bytes, 0, n))
		return NULL;
	return xstrndup((const char *)bytes, n);
}

void index_put_line(struct buf *b, const struct archive_entry *entry)
{
	uint64_t abs = entry->mtime_ns < 0 ? -(uint64_t)entry->mtime_ns : (uint64_t)entry->mtime_ns;
	char mode[8], mtime[40];
	const char *type = "file";
	struct json_out o;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].type == entry->type)
			type = types[i].name;
	snprintf(mode, sizeof(mode), "%04o", entry->mode & 07777u);
	snprintf(mtime, sizeof(mtime), "%s%llu.%09llu", entry->mtime_ns < 0 ? "-" : "", (unsigned long long)(abs / NS),
		 (unsigned long long)(abs % NS));
	json_out_init(&o, b);
	json_obj(&o, NULL);
	put_name(&o, "name", "name_b64", entry->name);
	json_put_str(&o, "type", type);
	json_put_int(&o, "size", (int64_t)entry->size);
	if (entry->sha256[0])
		json_put_str(&o, "sha256", entry->sha256);
	if (entry->real_size)
		json_put_int(&o, "real_size", (int64_t)entry->real_size);
	json_put_int(&o, "at", (int64_t)entry->at);
	json_put_int(&o, "len", (int64_t)entry->len);
	json_put_int(&o, "skip", (int64_t)entry->skip);
	json_put_str(&o, "mode", mode);
	json_put_str(&o, "mtime", mtime);
	json_end_obj(&o);
	buf_addc(b, '\n');
}

static int64_t get_mtime(const char *s)
{
	const char *dot = strchr(s, '.');
	CLEANUP(freep) char *whole = xstrndup(s, dot ? (size_t)(dot - s) : strlen(s));
	int64_t sec = 0;
	uint64_t ns = 0;

	if (str_to_i64(&sec, whole, -(INT64_MAX / NS), INT64_MAX / NS - 1) ||
	    (dot && str_to_u64(&ns, dot + 1, 0, NS - 1)))
		return 0;
	return *s == '-' ? sec * NS - (int64_t)ns : sec * NS + (int64_t)ns;
}

static int get_entry(struct archive_entry *ret, const struct json *j, struct err *e)
{
	const char *type = json_get_str(j, "type", ""), *sha = json_get_str(j, "sha256", "");
	int64_t size = json_get_int(j, "size", -1), at = json_get_int(j, "at", -1), len = json_get_int(j, "len", -1);
	int64_t skip = json_get_int(j, "skip", -1), real = json_get_int(j, "real_size", 0);
	uint8_t digest[SHA256_LEN];

	ret->name = get_name(j, "name", "name_b64");
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(types[i].name, type))
			ret->type = types[i].type;
	if (!ret->name || !ret->type || size < 0 || at < 0 || len <= 0 || skip < 0 || skip >= FRAME_RAW_MAX || real < 0)
		return err_set(e, ERR_DAMAGED, "a line of the index is not complete");
	if (ret->type == '0' ? hex_decode(digest, sizeof(digest), sha) != 0 : *sha != '\0')
		return err_set(e, ERR_DAMAGED, "a line of the index has no good sha256");
	if (str_copy(ret->sha256, sizeof(ret->sha256), sha))
		return err_set(e, ERR_DAMAGED, "a line of the index has no good sha256");
	ret->size = (uint64_t)size;
	ret->real_size = (uint64_t)real;
	ret->at = (uint64_t)at;
	ret->len = (uint64_t)len;
	ret->skip = (uint64_t)skip;
	ret->mode = (mode_t)strtoul(json_get_str(j, "mode", "0"), NULL, 8) & 07777;
	ret->mtime_ns = get_mtime(json_get_str(j, "mtime", "0"));
	return 0;
}

int index_get_line(struct archive_entry *ret, const char *p, size_t n, struct err *e)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct archive_entry entry = {0};

	if (n > LINE_MAX_BYTES)
		return err_set(e, ERR_DAMAGED, "a line of the index is over 1 MiB");
	if (json_parse(&j, p, n, e)) {
		if (e)
			e->kind = ERR_DAMAGED;
		return err_wrap(e, "a line of the index");
	}
	if (get_entry(&entry, j, e)) {
		archive_entry_done(&entry);
		return -1;
	}
	*ret = entry;
	return 0;
}

/* ---- lines packed into frames */

void index_blocks_init(struct index_blocks *b)
{
	*b = (struct index_blocks){0};
	buf_init(&b->raw, LINE_MAX_BYTES + BLOCK_RAW);
	buf_init(&b->directory, DIRECTORY_MAX);
	spill_init(&b->frames, SPILL_CAP);
}

void index_blocks_done(struct index_blocks *b)
{
	buf_done(&b->raw);
	buf_done(&b->directory);
	spill_done(&b->frames);
	free(b->first);
	b->first = NULL;
}

static int cut_block(struct index_blocks *b, struct err *e)
{
	struct json_out o;
	struct buf frame;
	int failed;

	buf_init(&frame, FRAME_RAW_MAX);
	failed = frame_compress(&frame, LEVEL, b->raw.p, b->raw.len, e);
	if (!failed) {
		json_out_init(&o, &b->directory);
		json_obj(&o, NULL);
		json_put_int(&o, "at", (int64_t)spill_len(&b->frames));
		json_put_int(&o, "len", (int64_t)frame.len);
		json_put_int(&o, "raw", (int64_t)b->raw.len);
		put_name(&o, "first", "first_b64", b->first);
		json_end_obj(&o);
		buf_addc(&b->directory, '\n');
		failed = buf_check(&b->directory, "the directory of the index", e) ||
			 spill_add(&b->frames, frame.p, frame.len, e) ? -1 : 0;
	}
	buf_done(&frame);
	b->count++;
	b->raw_total += b->raw.len;
	buf_reset(&b->raw);
	free(b->first);
	b->first = NULL;
	return failed;
}

int index_blocks_add(struct index_blocks *b, const char *name, const char *line, size_t n, struct err *e)
{
	if (b->raw.len && b->raw.len + n > BLOCK_RAW && cut_block(b, e))
		return -1;
	if (!b->first)
		b->first = xstrdup(name);
	buf_add(&b->raw, line, n);
	b->members++;
	return buf_check(&b->raw, "a line of the index", e);
}

int index_blocks_end(struct index_blocks *b, struct err *e)
{
	return b->raw.len ? cut_block(b, e) : 0;
}

int index_blocks_head(struct index_blocks *b, uint64_t manifest, struct buf *ret, struct err *e)
{
	struct json_out o;
	struct buf frame;
	int failed;

	buf_init(&frame, FRAME_RAW_MAX);
	failed = frame_compress(&frame, LEVEL, b->directory.p, b->directory.len, e);
	if (!failed) {
		json_out_init(&o, ret);
		json_obj(&o, NULL);
		json_put_int(&o, "index", 1);
		json_put_int(&o, "members", (int64_t)b->members);
		json_put_int(&o, "frames", (int64_t)b->count);
		json_put_int(&o, "directory", (int64_t)frame.len);
		json_put_int(&o, "bytes", (int64_t)spill_len(&b->frames));
		json_put_int(&o, "raw", (int64_t)b->raw_total);
		if (manifest)
			json_put_int(&o, "manifest", (int64_t)manifest);
		json_end_obj(&o);
		buf_addc(ret, '\n');
		buf_add(ret, frame.p, frame.len);
		failed = buf_check(ret, "the head of the sidecar", e);
	}
	buf_done(&frame);
	return failed;
}

/* ---- look-up */

struct block {
	uint64_t at, len, raw;
	char *first;
};
struct decoded {
	size_t block;
	struct { LIST_OF(struct archive_entry); } entries;
	uint64_t used;          /* when it was asked for last */
};
struct index {
	struct { LIST_OF(struct block); } blocks;
	struct decoded cache[CACHED];
	uint64_t clock, members;
	index_fetch_fn *fetch;
	void *ctx;
};

static int read_directory_line(struct index *x, const char *p, size_t n, struct err *e)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct block *last = x->blocks.n ? &x->blocks.v[x->blocks.n - 1] : NULL;
	int64_t at, len, raw;
	struct block *b;
	char *first;

	if (json_parse(&j, p, n, NULL))
		return err_set(e, ERR_DAMAGED, "the directory of the index is damaged");
	at = json_get_int(j, "at", -1);
	len = json_get_int(j, "len", -1);
	raw = json_get_int(j, "raw", -1);
	if (at < 0 || len <= 0 || len > FRAME_RAW_MAX || raw <= 0 || raw > LINE_MAX_BYTES + BLOCK_RAW ||
	    (uint64_t)at != (last ? last->at + last->len : 0))
		return err_set(e, ERR_DAMAGED, "the directory of the index has an offset that cannot be");
	first = get_name(j, "first", "first_b64");
	if (!first || (last && strcmp(last->first, first) > 0)) {
		free(first);
		return err_set(e, ERR_DAMAGED, "the directory of the index is not sorted");
	}
	b = list_push(&x->blocks);
	*b = (struct block){(uint64_t)at, (uint64_t)len, (uint64_t)raw, first};
	return 0;
}

/* Each line of p[0..n), which ends with a newline, to fn. */
static int each_line(const char *p, size_t n, int (*fn)(void *, const char *, size_t, struct err *), void *ctx,
		     struct err *e)
{
	while (n) {
		const char *end = memchr(p, '\n', n);

		if (!end)
			return err_set(e, ERR_DAMAGED, "the index is cut short");
		if (fn(ctx, p, (size_t)(end - p), e))
			return -1;
		n -= (size_t)(end + 1 - p);
		p = end + 1;
	}
	return 0;
}

static int on_directory_line(void *ctx, const char *p, size_t n, struct err *e)
{
	return read_directory_line(ctx, p, n, e);
}

int index_new(struct index **ret, const struct buf *directory, uint64_t members, index_fetch_fn *fetch, void *ctx,
	      struct err *e)
{
	struct index *x = xcalloc(1, sizeof(*x));

	x->members = members;
	x->fetch = fetch;
	x->ctx = ctx;
	for (size_t i = 0; i < CACHED; i++)
		x->cache[i].block = SIZE_MAX;
	if (each_line(directory->p, directory->len, on_directory_line, x, e)) {
		index_free(x);
		return -1;
	}
	*ret = x;
	return 0;
}

static void decoded_done(struct decoded *d)
{
	for (size_t i = 0; i < d->entries.n; i++)
		archive_entry_done(&d->entries.v[i]);
	list_done(&d->entries);
	d->block = SIZE_MAX;
}

void index_free(struct index *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < CACHED; i++)
		decoded_done(&x->cache[i]);
	for (size_t i = 0; i < x->blocks.n; i++)
		free(x->blocks.v[i].first);
	list_done(&x->blocks);
	free(x);
}

uint64_t index_stored(const struct index *x)
{
	return x->blocks.n ? x->blocks.v[x->blocks.n - 1].at + x->blocks.v[x->blocks.n - 1].len : 0;
}

static int on_entry_line(void *ctx, const char *p, size_t n, struct err *e)
{
	struct decoded *d = ctx;
	struct archive_entry entry;

	if (index_get_line(&entry, p, n, e))
		return -1;
	*list_push(&d->entries) = entry;
	return 0;
}

static int decode(struct index *x, size_t block, struct decoded *d, struct err *e)
{
	const struct block *b = &x->blocks.v[block];
	struct buf stored, raw;
	int failed;

	decoded_done(d);
	buf_init(&stored, FRAME_RAW_MAX);
	buf_init(&raw, FRAME_RAW_MAX);
	failed = x->fetch(x->ctx, b->at, b->len, &stored, e) || frame_decompress(&raw, stored.p, stored.len, e) ||
		 each_line(raw.p, raw.len, on_entry_line, d, e);
	if (!failed && (d->entries.n == 0 || !str_eq(d->entries.v[0].name, b->first)))
		failed = err_set(e, ERR_DAMAGED, "frame does not begin with \"%.100s\"", b->first);
	if (!failed)
		d->block = block;
	buf_done(&stored);
	buf_done(&raw);
	return failed ? err_wrap(e, "index frame %zu", block) : 0;
}

/* The decoded frame, from the cache when it is there. */
static int get_block(struct index *x, size_t block, struct decoded **ret, struct err *e)
{
	struct decoded *oldest = &x->cache[0];

	for (size_t i = 0; i < CACHED; i++) {
		if (x->cache[i].block == block) {
			x->cache[i].used = ++x->clock;
			*ret = &x->cache[i];
			return 0;
		}
		if (x->cache[i].used < oldest->used)
			oldest = &x->cache[i];
	}
	oldest->used = ++x->clock;
	*ret = oldest;
	return decode(x, block, oldest, e);
}

/* The frame where name, or what begins with it, can stand first: the one before
 * the first frame that begins with the name or a later one. */
static size_t block_of(const struct index *x, const char *name)
{
	size_t low = 0, high = x->blocks.n; /* first frame with first >= name is in [low, high] */

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(x->blocks.v[mid].first, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? low - 1 : 0;
}

int index_list(struct index *x, const char *prefix, archive_entry_fn *fn, void *ctx, struct err *e)
{
	size_t n = strlen(prefix);

	for (size_t i = block_of(x, prefix); i < x->blocks.n; i++) {
		struct decoded d = {.block = SIZE_MAX}; /* of its own: fn may look names up */
		int stop = 0;

		if (strncmp(x->blocks.v[i].first, prefix, n) > 0)
			break;
		if (decode(x, i, &d, e)) {
			decoded_done(&d);
			return -1;
		}
		for (size_t k = 0; !stop && k < d.entries.n; k++)
			if (strncmp(d.entries.v[k].name, prefix, n) == 0)
				stop = fn(ctx, &d.entries.v[k], e);
		decoded_done(&d);
		if (stop)
			return stop < 0 ? -1 : 0;
	}
	return 0;
}

static bool is_there(const struct archive_entry *entry, const struct index_place *place)
{
	return !place || (entry->at == place->at && entry->skip == place->skip);
}

int index_find(struct index *x, const char *name, const struct index_place *place, const struct archive_entry **ret,
	       struct err *e)
{
	*ret = NULL;
	for (size_t i = block_of(x, name); i < x->blocks.n && strcmp(x->blocks.v[i].first, name) <= 0; i++) {
		struct decoded *d;
		size_t low = 0, high;

		if (get_block(x, i, &d, e))
			return -1;
		high = d->entries.n;
		while (low < high) {
			size_t mid = low + (high - low) / 2;

			if (strcmp(d->entries.v[mid].name, name) < 0)
				low = mid + 1;
			else
				high = mid;
		}
		for (; low < d->entries.n && str_eq(d->entries.v[low].name, name); low++) {
			if (!is_there(&d->entries.v[low], place))
				continue;
			*ret = &d->entries.v[low];
			return 0;
		}
	}
	return 0;
}
