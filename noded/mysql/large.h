/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_LARGE_H
#define FELLOE_MYSQL_LARGE_H

#include "noded/mysql/columns.h"
#include "noded/mysql/conn.h"
#include "noded/mysql/digest.h"
#include "noded/mysql/dump.h"
#include "noded/mysql/halt.h"
#include "shared/buf.h"
#include "shared/err.h"

/* A row with values of more than VALUE_MAX, read in slices in the snapshot: neither
 * we nor the connection hold more than one. The server holds one value, in a
 * variable of the session. */

struct large_row {
	struct conn *c;
	struct halt *halt;         /* may be NULL */
	const struct columns *k;   /* columns_sliced */
	const char *table;
	const char *where;         /* columns_where: finds it */
};
/* Count it in d. */
int large_digest(const struct large_row *l, struct digest *d, struct err *e) MUSTCHECK;
/* The same, and hand it to sink as the member `name`, which loads alone: each slice
 * into a variable, then one INSERT that joins them. b is memory to work with, left
 * empty; bytes becomes the size of the member, longest that of its longest statement or
 * joined value. Large texts are read twice: a tar must
 * know sizes first, and how many of their bytes are escaped cannot be told before. */
struct large_out {
	const struct dump_sink *sink;
	struct buf *b;
	const char *name;
	uint64_t bytes, longest;
};
int large_dump(const struct large_row *l, struct large_out *out, struct digest *d, struct err *e) MUSTCHECK;

#endif
