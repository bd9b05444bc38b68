/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_ARCHIVE_LINES_H
#define FELLOE_ARCHIVE_LINES_H

#include "noded/archive/index.h"
#include "shared/buf.h"
#include "shared/err.h"

/* The content of index.jsonl, as it comes, into the frames of a sidecar. */

struct index_lines {
	struct index_blocks *blocks; /* lent */
	struct buf line;        /* its beginning */
	char *last;             /* name, to see that they are sorted */
	uint64_t end;           /* where the last frame of all members ends in the archive */
};
void index_lines_init(struct index_lines *l, struct index_blocks *blocks);
void index_lines_done(struct index_lines *l);
/* A piece. ERR_DAMAGED. */
int index_lines_add(struct index_lines *l, const void *p, size_t n, struct err *e) MUSTCHECK;
/* After the last one, which must have ended a line. */
int index_lines_end(struct index_lines *l, struct err *e) MUSTCHECK;

#endif
