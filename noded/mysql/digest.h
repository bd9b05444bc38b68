/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_DIGEST_H
#define FELLOE_MYSQL_DIGEST_H

#include <stdint.h>

#include "noded/mysql/lib.h"
#include "shared/buf.h"

/* Count and digest of a table's rows, whatever their order: the sum mod 2^128
 * of each row's XXH3-128 (docs/archive-format.md). A row is its columns' SELECT
 * text, each after its length as four bytes little-endian; NULL is 0xffffffff. */

struct digest {
	uint64_t rows;
	uint64_t high, low;
	struct buf row; /* one row on its way into the hash */
	void *state;    /* for rows too long to be copied */
};

void digest_init(struct digest *d);
void digest_done(struct digest *d);
/* Worth 64 bits of the row's hash. */
uint64_t digest_row(struct digest *d, const MYSQL_ROW row, const unsigned long *len, unsigned columns);
/* The same for a row that comes in pieces: begin, then for each column its length
 * (-1: NULL) and as many bytes, then end. */
void digest_begin(struct digest *d);
void digest_column(struct digest *d, int64_t n);
void digest_bytes(struct digest *d, const void *p, size_t n);
void digest_end(struct digest *d);
/* Count the rows of d among those of to. */
void digest_join(struct digest *to, const struct digest *d);
/* Big-endian. */
void digest_get(const struct digest *d, uint8_t out[static 16]);

#endif
