/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/pack.h"

#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	PART_MIN = 8 << 20,
	PARTS_A_SIZE = 4096,        /* then parts double, so that the public header stays below its 4 MiB */
	HEADER_MAX = 4 << 20,
};

struct pack {
	struct store *store;
	char *key;
	struct upload *upload;
	struct archive_writer *writer;
	struct sha256 *part_hash; /* the upload has the digest of the whole */
	struct { LIST_OF(struct archive_part); } parts;
	uint64_t part_size, part_fill, stored;
	bool storage_failed;
	bool finished, object_there;
	struct upload_result result;
	uint8_t sidecar_digest[SHA256_LEN];
};

static void end_part(struct pack *p)
{
	struct archive_part *part;
	uint8_t digest[SHA256_LEN];

	if (!p->part_fill)
		return;
	sha256_end(p->part_hash, digest);
	part = list_push(&p->parts);
	part->offset = p->stored - p->part_fill;
	part->size = p->part_fill;
	hex_encode(part->sha256, digest, sizeof(digest));
	p->part_fill = 0;
	if (p->parts.n % PARTS_A_SIZE == 0)
		p->part_size *= 2;
}

/* Compressed bytes fall out of the writer: upload, then the digest of the part. */
static int take_bytes(void *ctx, const void *bytes, size_t n, struct err *e)
{
	struct pack *p = ctx;
	const char *at = bytes;

	if (upload_write(p->upload, bytes, n, e)) {
		p->storage_failed = true;
		return -1;
	}
	while (n) {
		uint64_t room = p->part_size - p->part_fill;
		size_t piece = n < room ? n : (size_t)room;

		sha256_add(p->part_hash, at, piece);
		at += piece;
		n -= piece;
		p->part_fill += piece;
		p->stored += piece;
		if (p->part_fill == p->part_size)
			end_part(p);
	}
	return 0;
}

int pack_open(struct pack **ret, const struct pack_opts *o, struct err *e)
{
	CLEANUP(pack_closep) struct pack *p = xcalloc(1, sizeof(*p));
	const struct upload_opts up = {.key = o->key, .estimate = o->estimate, .spool_bytes = o->spool_bytes};
	const struct archive_writer_opts w = {.level = o->level, .threads = o->threads,
					      .adaptive = o->adaptive, .out = take_bytes, .ctx = p};

	p->store = o->store;
	p->key = xstrdup(o->key);
	p->part_size = PART_MIN;
	p->part_hash = sha256_new();
	p->storage_failed = true; /* until the upload has begun */
	if (upload_begin(&p->upload, o->store, &up, e))
		return -1;
	p->storage_failed = false;
	if (archive_writer_new(&p->writer, &w, e))
		return -1;

	*ret = TAKE(p);
	return 0;
}

void pack_close(struct pack *p)
{
	struct err ignored;

	if (!p)
		return;
	archive_writer_free(p->writer);
	if (p->upload)
		upload_abort(p->upload);
	/* without its sidecar, or with one that came back wrong, it is not an archive of ours */
	if (p->object_there && !p->finished && store_delete(p->store, p->key, &ignored) == 0) {
		CLEANUP(freep) char *idx = xasprintf("%s.idx", p->key);

		(void)!store_delete(p->store, idx, &ignored); /* it may not be there */
	}
	sha256_free(p->part_hash);
	list_done(&p->parts);
	free(p->key);
	free(p);
}

void pack_closep(struct pack **p)
{
	pack_close(*p);
}

struct archive_writer *pack_writer(struct pack *p)
{
	return p->writer;
}

bool pack_storage_failed(const struct pack *p)
{
	return p->storage_failed;
}

static int make_header(const struct pack *p, const struct pack_facts *f, const struct upload_result *up, struct buf *b,
		       struct err *e)
{
	struct json_out o;

	json_out_init(&o, b);
	json_obj(&o, NULL);
	json_put_str(&o, "format", "felloe-archive 1");
	json_put_str(&o, "site", f->site);
	json_put_str(&o, "server_id", f->server_id);
	json_put_str(&o, "key", p->key);
	json_put_str(&o, "run", f->run);
	json_put_time(&o, "started", f->started);
	json_put_time(&o, "finished", f->finished);
	json_put_int(&o, "size", (int64_t)up->size);
	json_put_str(&o, "sha256", up->sha256);
	json_arr(&o, "parts");
	for (size_t i = 0; i < p->parts.n; i++) {
		json_obj(&o, NULL);
		json_put_int(&o, "offset", (int64_t)p->parts.v[i].offset);
		json_put_int(&o, "size", (int64_t)p->parts.v[i].size);
		json_put_str(&o, "sha256", p->parts.v[i].sha256);
		json_end_obj(&o);
	}
	json_end_arr(&o);
	json_end_obj(&o);
	return buf_check(b, "the header of the sidecar", e);
}

/* The sidecar on its way: it may be long, so it is never held whole. */
struct sidecar {
	struct upload *upload;
	struct sha256 *hash;
	uint64_t size;
};

static void sidecar_done(struct sidecar *s)
{
	if (s->upload)
		upload_abort(s->upload);
	sha256_free(s->hash);
}

static int take_sidecar(void *ctx, const void *p, size_t n, struct err *e)
{
	struct sidecar *s = ctx;

	sha256_add(s->hash, p, n);
	s->size += n;
	return upload_write(s->upload, p, n, e);
}

static int hash_bytes(void *ctx, const void *p, size_t n, struct err *e)
{
	(void)e;
	sha256_add(ctx, p, n);
	return 0;
}

static int put_sidecar(struct pack *p, const char *header, struct err *e)
{
	CLEANUP(sidecar_done) struct sidecar s = {.hash = sha256_new()};
	CLEANUP(freep) char *idx = xasprintf("%s.idx", p->key);
	const struct upload_opts up = {.key = idx};
	struct upload_result result;

	if (upload_begin(&s.upload, p->store, &up, e) || archive_sidecar_to(p->writer, header, take_sidecar, &s, e) ||
	    upload_finish(TAKE(s.upload), &result, e))
		return -1;
	sha256_end(s.hash, p->sidecar_digest);
	return 0;
}

static void hash_freep(struct sha256 **h)
{
	sha256_free(*h);
}

/* A look-up of one file depends on each byte of the sidecar. */
static int check_sidecar(const struct pack *p, struct err *e)
{
	CLEANUP(hash_freep) struct sha256 *hash = sha256_new();
	CLEANUP(freep) char *idx = xasprintf("%s.idx", p->key);
	uint8_t read[SHA256_LEN];

	if (store_get(p->store, idx, 0, UINT64_MAX, hash_bytes, hash, e))
		return -1;
	sha256_end(hash, read);
	if (memcmp(p->sidecar_digest, read, sizeof(read)) != 0)
		return err_set(e, ERR_DAMAGED, "storage %s: %s came back with other bytes than were written",
			       store_name(p->store), idx);
	return 0;
}

static int check_size(const struct pack *p, uint64_t size, struct err *e)
{
	uint64_t there;

	if (store_head(p->store, p->key, &there, e))
		return -1;
	if (there != size)
		return err_set(e, ERR_STORAGE, "storage %s: %s has %llu bytes, %llu were written", store_name(p->store),
			       p->key, (unsigned long long)there, (unsigned long long)size);
	return 0;
}

static int seal(struct pack *p, const struct pack_facts *facts, struct err *e)
{
	CLEANUP(buf_done) struct buf header;

	buf_init(&header, HEADER_MAX);
	if (upload_finish(TAKE(p->upload), &p->result, e))
		return -1;
	p->object_there = true;
	if (p->result.size != p->stored)
		return err_set(e, ERR_INTERNAL, "%s: what was uploaded is not what was written", p->key);
	if (make_header(p, facts, &p->result, &header, e))
		return -1;
	return put_sidecar(p, header.p, e);
}

int pack_seal(struct pack *p, const char *manifest, const struct pack_facts *facts, struct archive_sum *sum,
	      struct err *e)
{
	if (archive_finish(p->writer, manifest, strlen(manifest), sum, e))
		return -1;
	end_part(p);
	p->storage_failed = true; /* from here on the storage alone decides */
	if (seal(p, facts, e))
		return -1;
	p->storage_failed = false;
	return 0;
}

int pack_verify(struct pack *p, struct wire_archive *ret, struct err *e)
{
	p->storage_failed = true;
	if (check_size(p, p->result.size, e) || check_sidecar(p, e))
		return -1;
	p->storage_failed = false;
	p->finished = true;
	str_cut(ret->storage, sizeof(ret->storage), store_name(p->store));
	str_cut(ret->key, sizeof(ret->key), p->key);
	str_cut(ret->sha256, sizeof(ret->sha256), p->result.sha256);
	ret->size = (int64_t)p->result.size;
	return 0;
}
