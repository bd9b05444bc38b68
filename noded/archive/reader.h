/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_ARCHIVE_READER_H
#define FELLOE_ARCHIVE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/archive/index.h"
#include "noded/files/tar.h"
#include "shared/err.h"
#include "shared/json.h"

/* A felloe-archive 1 read by ranges (docs/archive-format.md). Fetches about what
 * is wanted and no more; memory is two frames (about 10 MiB) whatever the size. */

/* An object that can be read by ranges: a file, or store_get behind a struct. */
typedef int archive_data_fn(void *ctx, const void *p, size_t n, struct err *e);
struct archive_object {
	/* Bytes [offset, offset + n) in order to data(data_ctx, ...); fewer are ERR_DAMAGED. */
	int (*read_at)(void *ctx, uint64_t offset, uint64_t n, archive_data_fn *data, void *data_ctx, struct err *e);
	void *ctx;
	uint64_t size;
};

struct archive_reader;
/* sidecar NULL: the index is taken from the archive itself (ERR_DAMAGED without
 * a seek table at its end). Both objects are copied, their ctx must live on.
 * ERR_DAMAGED a damaged index, ERR_INVALID another format. */
int archive_open(struct archive_reader **ret, const struct archive_object *archive,
		 const struct archive_object *sidecar, struct err *e) MUSTCHECK;
struct archive_scan_opts {
	/* As in archive_read_opts. */
	void (*progress)(void *ctx, uint64_t fetched);
	bool (*stop)(void *ctx);
	void *ctx;
};
struct archive_scan_result {
	uint64_t frames, members;   /* that are sound; members that are whole */
	uint64_t places, lost;      /* places without a sound frame, and their bytes */
	uint64_t fetched;
	bool indexed;               /* index.jsonl was whole: members are proved by it. Else nothing but the
	                             * checksums of frames speaks for their content. */
};
/* The last resort, when an archive has lost its end and its sidecar: read all of
 * it from the first byte, frame by frame, and make an index of what is found.
 * Members that are not whole are in it too, so that they are named as damaged when
 * they are read; those whose beginning is lost are not known. ERR_DAMAGED when
 * there is no sound frame at all. */
int archive_scan(struct archive_reader **ret, const struct archive_object *archive, const struct archive_scan_opts *o,
		 struct archive_scan_result *res, struct err *e) MUSTCHECK;
void archive_close(struct archive_reader *r);
void archive_closep(struct archive_reader **r);
/* Entries whose name begins with prefix ("" all), sorted by name. fn returns 0
 * to go on, 1 to stop (not an error), -1 with *e. The entry is lent. */
int archive_list(struct archive_reader *r, const char *prefix, archive_entry_fn *fn, void *ctx,
		 struct err *e) MUSTCHECK;

/* What a reading of members does when one of them is damaged: with damaged set
 * the member is named (why is the error's text) and the reading goes on, the
 * call then returns 0 and counts it; without it the first one is the error. */
struct archive_read_opts {
	/* Names ("files/etc" is that member and all below it) or prefixes marked by
	 * a last "*" ("db/20-data/wp_posts.*"). */
	const char *const *prefixes;
	size_t n_prefixes;
	/* Of those, names for which it says true are neither fetched nor given to the sink; may be NULL. */
	bool (*leave)(void *ctx, const char *name);
	void (*damaged)(void *ctx, const char *member, const char *why);
	/* Bytes fetched so far, a few times a second; may be NULL. */
	void (*progress)(void *ctx, uint64_t fetched);
	bool (*stop)(void *ctx);       /* true: ERR_ABORTED; may be NULL */
	void *ctx;
};
struct archive_read_result { uint64_t members, bytes, fetched, damaged; };

/* All of a small member (manifest.json, RESTORE.txt) into b, whose cap holds;
 * ERR_DAMAGED when its SHA-256 is another. */
int archive_read_small(struct archive_reader *r, const char *name, struct buf *b, struct err *e) MUSTCHECK;
/* manifest.json into b: out of the sidecar when that has it (it lasts longer than
 * the end of an archive), else out of the archive. */
int archive_manifest(struct archive_reader *r, struct buf *b, struct err *e) MUSTCHECK;
/* All of the sidecar: ERR_DAMAGED when any part of it cannot be read. */
int archive_check_sidecar(struct archive_reader *r, struct err *e) MUSTCHECK;
/* The public header of the sidecar, lent; NULL without a sidecar. */
const struct json *archive_header(const struct archive_reader *r);
/* The selected members in the order of the archive, frames and digests checked,
 * in ranges as long as possible. Without prefixes: every member but index.jsonl
 * and manifest.json. A damaged member ends with sink->fail. sink NULL: check
 * only. o and ret may be NULL. */
int archive_read(struct archive_reader *r, const struct archive_read_opts *o, const struct tar_sink *sink,
		 struct archive_read_result *ret, struct err *e) MUSTCHECK;

/* The stored bytes against the digests of the sidecar's parts, without
 * decompressing: damaged() gets the members of a wrong part, ret->members counts
 * the parts that are right. ERR_INVALID without a sidecar. */
int archive_verify_parts(struct archive_reader *r, const struct archive_read_opts *o, struct archive_read_result *ret,
			 struct err *e) MUSTCHECK;

#endif
