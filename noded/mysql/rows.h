/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_ROWS_H
#define FELLOE_MYSQL_ROWS_H

#include <stdatomic.h>

#include "noded/mysql/conn.h"
#include "noded/mysql/dump.h"
#include "noded/mysql/halt.h"
#include "shared/buf.h"
#include "shared/err.h"

/* The rows of one table, as members of extended INSERTs. */

enum { MEMBER_RAW = 8 << 20, STATEMENT_RAW = 1 << 20 };

/* How a column's value is written. */
enum column_form { FORM_TEXT, FORM_PLAIN /* quoted, nothing to escape */, FORM_NUMBER, FORM_HEX };

/* The columns that an INSERT may name: all but generated ones and those of ROW
 * START and END; invisible ones too, being named. */
struct columns {
	char *names;       /* `a`,`b`; "" when the table has none that can be given */
	char *select_list; /* `a`,`f`+0e0: a FLOAT is selected as DOUBLE, for its own text has six digits only;
	                    * text that utf8mb4 cannot hold exactly as CAST(`t` AS BINARY) */
	unsigned n;
	struct { LIST_OF(unsigned char); } form; /* enum column_form; one a selected column */
	bool history;      /* columns_add_history */
};
/* ERR_CONFLICT when the table is not there. */
int columns_read(struct columns *ret, struct conn *c, const char *table, struct err *e) MUSTCHECK;
/* Of a system-versioned table: its past rows too, with the columns of ROW START
 * and END, and SQL_HISTORY at the end of the select list. Where those hold numbers of
 * transactions nothing can bring them back: ret stays as it is. */
int columns_add_history(struct columns *ret, struct conn *c, const char *table, struct err *e) MUSTCHECK;
void columns_done(struct columns *k);

/* A buffer for one member at a time. */
void rows_buf(struct buf *b);

/* How much all readers of a dump have read so far. */
struct rows_total {
	atomic_uint_fast64_t rows, bytes;
};

/* Read the table in the running snapshot and hand its members to sink. Fills
 * rows, bytes and digest of t, whose name and select_list are set. When it fails in the middle the connection is given up. */
struct rows_job {
	struct conn *c;
	const struct dump_sink *sink;
	struct halt *halt;
	struct rows_total *total;
	struct buf *member;             /* of rows_buf: one for all tables of this reader, so that memory stays flat */
};
int rows_dump(const struct rows_job *job, const struct columns *k, struct dump_table *t, struct err *e) MUSTCHECK;

#endif
