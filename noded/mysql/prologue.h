/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_PROLOGUE_H
#define FELLOE_MYSQL_PROLOGUE_H

#include "shared/buf.h"

/* What each member of SQL sets before its statements and puts back after them,
 * so that any one of them can be loaded alone, by any client, into any session. */

/* Sequences, placeholders. */
void prologue_begin(struct buf *b);
void prologue_end(struct buf *b);
/* Tables: the same; no column gets a default that it has not, and InnoDB takes what it once took without
 * innodb_strict_mode. */
void prologue_begin_table(struct buf *b);
void prologue_end_table(struct buf *b);
/* Rows: the same in one transaction. */
void prologue_begin_data(struct buf *b);
void prologue_end_data(struct buf *b);

/* Programs and views: each has the settings under which its author made it. */
struct prologue_made {
	const char *sql_mode;            /* NULL: '' (views are canonical) */
	const char *charset, *collation; /* character_set_client, collation_connection */
	const char *db_collation;        /* of the schema when it was made; NULL: as now */
	const char *now_collation;       /* of the schema now */
	const char *time_zone;           /* events; NULL: none */
};
void prologue_begin_made(struct buf *b, const struct prologue_made *m);
void prologue_end_made(struct buf *b, const struct prologue_made *m);

#endif
