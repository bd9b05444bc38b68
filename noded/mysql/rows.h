/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_ROWS_H
#define FELLOE_MYSQL_ROWS_H

#include <stdatomic.h>

#include "noded/mysql/columns.h"
#include "noded/mysql/conn.h"
#include "noded/mysql/digest.h"
#include "noded/mysql/dump.h"
#include "noded/mysql/halt.h"
#include "shared/buf.h"
#include "shared/err.h"

/* The rows of one table, as members of extended INSERTs. */

enum { MEMBER_RAW = 8 << 20, STATEMENT_RAW = 1 << 20 };

/* A buffer for one member at a time. */
void rows_buf(struct buf *b);

/* How much all readers of a dump have read so far. */
struct rows_total {
	atomic_uint_fast64_t rows, bytes;
};

/* What a reader of rows works with. */
struct rows_job {
	struct conn *c;
	const struct dump_sink *sink;
	struct halt *halt;
	struct rows_total *total;
	struct buf *member;             /* of rows_buf: one for all tables of this reader, so that memory stays flat */
};
/* Which rows of a table, and how they are cut into members. */
struct rows_range {
	const char *table;
	const char *tail;     /* of the SELECT, behind the table's name: " WHERE ... ORDER BY ..."; "" all as they come */
	unsigned shift;       /* all rows, in the order of columns_grid: cut at the grid's cells (noded/mysql/grid.h) */
	uint64_t chunk;       /* the rows of one cell, the how-manieth; 0: from 1 on, as they come */
};
/* What was read. digest_init and digest_done are the caller's. */
struct rows_sum {
	struct digest digest;
	uint64_t bytes;
	uint64_t longest;   /* statement, or value that the server has to join; bytes */
};
/* Read them in the running snapshot and hand them to the sink as members
 * TABLE.CHUNK.sql, or more of one chunk: TABLE.CHUNK.1.sql ... Without a grid each
 * member is a chunk. Members end where the rows say so, not at a count: a change
 * of one row leaves those before it and, soon, those behind it as they were.
 * Adds to ret. When it fails in the middle the connection is given up. */
int rows_dump(const struct rows_job *job, const struct columns *k, const struct rows_range *range,
	      struct rows_sum *ret, struct err *e) MUSTCHECK;

#endif
