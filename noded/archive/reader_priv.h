/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_READER_PRIV_H
#define FELLOE_READER_PRIV_H

#include "noded/archive/frames.h"
#include "noded/archive/reader.h"
#include "noded/archive/unpack.h"

/* What reader.c (objects, index) and read.c (members) share. */

struct archive_reader {
	struct archive_object archive, sidecar;
	struct json *header;            /* the sidecar's first line */
	struct index *index;
	uint64_t frames_at;             /* of the index in the sidecar */
	uint64_t manifest_at, manifest_len; /* in the sidecar, 0 not there */
	struct index_blocks local;      /* the index, without a sidecar */
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
int reader_one(struct archive_reader *r, struct one *one, struct err *e) MUSTCHECK;

#endif
