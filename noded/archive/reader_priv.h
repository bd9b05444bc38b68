/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_READER_PRIV_H
#define FELLOE_READER_PRIV_H

#include "noded/archive/frames.h"
#include "noded/archive/reader.h"
#include "noded/archive/unpack.h"

/* What reader.c (objects, index), read.c (members) and scan.c (archives without an
 * index) share. */

struct archive_reader {
	struct archive_object archive, sidecar;
	struct json *header;            /* the sidecar's first line */
	struct index *index;
	uint64_t frames_at;             /* of the index in the sidecar */
	uint64_t manifest_at, manifest_len; /* in the sidecar, 0 not there */
	struct index_blocks local;      /* the index, without a sidecar */
	bool scanned;                   /* found by going through the frames; then: */
	struct buf manifest;            /* when it was whole */
	struct frame_size *table;       /* the seek table, once it was needed */
	size_t n_table;
	uint64_t table_at;
};

/* One member out of a range that holds it. indexed: its digest is in the index. */
struct one {
	const char *name;
	struct unpack_range range;
	archive_data_fn *fn;
	void *ctx;
	bool indexed;
};
struct archive_reader *reader_new(const struct archive_object *archive);
/* Look-ups go to local, which is complete. */
int reader_use_local(struct archive_reader *r, struct err *e) MUSTCHECK;
/* The seek table at its end, checked, into table and table_at; once. */
int reader_load_table(struct archive_reader *r, struct err *e) MUSTCHECK;
int reader_one(struct archive_reader *r, struct one *one, struct err *e) MUSTCHECK;

#endif
