/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_INDEX_H
#define FELLOE_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "noded/archive/spill.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/hash.h"

/* The index of an archive: its lines, the 64 KiB frames of lines that a sidecar
 * holds, and look-ups in them (docs/archive-format.md). */

struct archive_entry {          /* a line of the index */
	char *name;
	char type;              /* as in tar_entry */
	uint64_t size, real_size; /* real_size 0 unless sparse */
	char sha256[SHA256_HEX]; /* "" for what is not a regular file */
	uint64_t at, len, skip; /* bytes of the object; raw bytes before the header */
	mode_t mode;
	int64_t mtime_ns;
};
void archive_entry_done(struct archive_entry *entry);
/* Called with each entry (lent): 0 to go on, 1 to stop (no error), -1 with *e. */
typedef int archive_entry_fn(void *ctx, const struct archive_entry *entry, struct err *e);

/* Append the line of an entry, with its newline. */
void index_put_line(struct buf *b, const struct archive_entry *entry);
/* Read a line without its newline. ERR_DAMAGED. */
int index_get_line(struct archive_entry *ret, const char *p, size_t n, struct err *e) MUSTCHECK;

/* ---- lines packed into frames, in the order they come (sorted by name) */

struct index_blocks {
	struct buf raw;         /* lines of the frame that is being filled */
	char *first;            /* its first name */
	struct spill frames;
	struct buf directory;   /* its lines */
	uint64_t members, count, raw_total;
};
void index_blocks_init(struct index_blocks *b);
void index_blocks_done(struct index_blocks *b);
int index_blocks_add(struct index_blocks *b, const char *name, const char *line, size_t n, struct err *e) MUSTCHECK;
/* After the last line. */
int index_blocks_end(struct index_blocks *b, struct err *e) MUSTCHECK;
/* Line 2 of a sidecar and the directory's frame, appended to ret. manifest: stored
 * bytes of the manifest's frame behind the others, 0 none. */
int index_blocks_head(struct index_blocks *b, uint64_t manifest, struct buf *ret, struct err *e) MUSTCHECK;

/* ---- look-up */

/* Bytes [offset, offset + n) of the row of frames, into b (emptied first). */
typedef int index_fetch_fn(void *ctx, uint64_t offset, uint64_t n, struct buf *b, struct err *e);
struct index;
/* directory: its lines, decompressed. members: how many lines there are in all. */
int index_new(struct index **ret, const struct buf *directory, uint64_t members, index_fetch_fn *fetch, void *ctx,
	      struct err *e) MUSTCHECK;
void index_free(struct index *x);
/* Stored bytes of all frames. */
uint64_t index_stored(const struct index *x);
/* Entries whose name begins with prefix, sorted. 0 also when fn stopped it. */
int index_list(struct index *x, const char *prefix, archive_entry_fn *fn, void *ctx, struct err *e) MUSTCHECK;
/* The entry (lent, until the next call), or NULL in *ret when there is none. place
 * not NULL: only the one whose header is there. */
struct index_place { uint64_t at, skip; };
int index_find(struct index *x, const char *name, const struct index_place *place, const struct archive_entry **ret,
	       struct err *e) MUSTCHECK;

#endif
