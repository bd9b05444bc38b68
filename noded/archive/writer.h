/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_ARCHIVE_WRITER_H
#define FELLOE_ARCHIVE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/files/tar.h"
#include "shared/err.h"

/* A felloe-archive 1 (docs/archive-format.md) built in order: members in, bytes
 * of independent zstd frames out, compressed by `threads` workers while the
 * caller goes on, handed to out in order from the calling thread. Holds at most
 * about (threads + 1) x 8 MiB. */

struct archive_writer;
typedef int archive_out_fn(void *ctx, const void *p, size_t n, struct err *e);

struct archive_writer_opts {
	int level;           /* zstd, 3 */
	unsigned threads;    /* 1.. */
	bool adaptive;       /* lower levels while compression is what holds up (struct frames_opts) */
	archive_out_fn *out;
	void *ctx;
};

int archive_writer_new(struct archive_writer **ret, const struct archive_writer_opts *o, struct err *e) MUSTCHECK;
void archive_writer_free(struct archive_writer *w); /* also in the middle */
void archive_writer_freep(struct archive_writer **w);

/* A member whose bytes are all here (SQL, RESTORE.txt): regular file, 0600. */
int archive_add(struct archive_writer *w, const char *name, const void *p, size_t n, struct err *e) MUSTCHECK;

/* The same for one that comes in pieces: then exactly size bytes to archive_writer_sink's write, and its end. */
int archive_begin_own(struct archive_writer *w, const char *name, uint64_t size, struct err *e) MUSTCHECK;

struct archive_sum {
	uint64_t bytes_in;      /* tar bytes */
	uint64_t bytes_stored;
	uint64_t members;
};
/* Writes index.jsonl, then manifest.json (given whole), the end of the tar, the
 * seek table; hands the last bytes to out. Then archive_sidecar_to gives the
 * sidecar for `{key}.idx` (docs/archive-format.md). parts: see archive_part. */
struct archive_part { uint64_t offset, size; char sha256[65]; };
int archive_finish(struct archive_writer *w, const char *manifest_json, size_t manifest_len, struct archive_sum *ret,
		   struct err *e) MUSTCHECK;
/* After archive_finish: the sidecar's bytes (about 60 a member) to fn.
 * header_json is the public line (format, site, times, sizes, parts), made by
 * the caller. */
int archive_sidecar_to(struct archive_writer *w, const char *header_json, archive_out_fn *fn, void *ctx,
		       struct err *e) MUSTCHECK;
/* Members in pieces, for files_archive: begin with the header (its size is
 * binding), write exactly that many bytes, end. The SHA-256 for the index is
 * taken on the way. Lent, good as long as w. */
const struct tar_sink *archive_writer_sink(struct archive_writer *w);
/* The lowest level of what was compressed so far. */
int archive_lowest_level(const struct archive_writer *w);
/* Bytes stored and taken in so far (progress; any thread). */
void archive_progress(const struct archive_writer *w, uint64_t *in, uint64_t *stored);

#endif
