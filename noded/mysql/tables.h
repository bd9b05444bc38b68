/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_TABLES_H
#define FELLOE_MYSQL_TABLES_H

#include "noded/mysql/conn.h"
#include "noded/mysql/dump.h"
#include "noded/mysql/halt.h"
#include "noded/mysql/schema.h"
#include "noded/mysql/watch.h"

/* The rows of all tables of one database: db/20-data. */

struct tables_job {
	struct conn *const *conns;    /* all in one snapshot, each with the database selected */
	unsigned n;
	const struct schema *schema;  /* what there is, and the sink */
	const struct dump_grid *grid; /* may be NULL */
	struct halt *halt;
	struct watch *watch;          /* told of each table while it is read; may be NULL */
	const struct db_access *access; /* for tables that are read under a lock of their own (locked.h) */
	int64_t wait_s;               /* for those locks */
	const struct hot *hot;        /* each connection has them locked: read first, and given back (hot.h); NULL: none */
	struct hot *met;              /* takes those that a conflict was about */
	bool locks_stay;              /* once read, a table is locked until the snapshot ends */
};
/* One entry of ret->tables for each table that is not left out, in the order of
 * the schema, whatever the order in which chunks were read. Calls the sink from
 * several threads, one at a time. */
int tables_dump(const struct tables_job *job, struct dump_result *ret, struct err *e) MUSTCHECK;

#endif
