/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_PACK_H
#define FELLOE_PACK_H

#include <stdbool.h>
#include <stddef.h>

#include "masterd/sample.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"

/* A block of samples, or of steps of a rollup, as bytes. Column by column: the
 * times as distances, each metric and mount as the smaller of distances from the
 * lowest and from the one before, in as many bytes as the largest needs, all
 * first bytes, then all second ones ...; zstd over all of it. Pure. */

enum { PACK_ROWS_MAX = 1 << 16 };

/* Append b, whose rows stand by time; at most PACK_ROWS_MAX. roll: with the columns of a rollup. */
int pack_write(struct buf *out, const struct block *b, bool roll, struct err *e) MUSTCHECK;
/* ERR_DAMAGED, and ret is as it was, when the bytes are not what pack_write makes. ret is empty before. */
int pack_read(struct block *ret, const void *p, size_t n, struct err *e) MUSTCHECK;

#endif
