/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_SNAPSHOT_H
#define FELLOE_MYSQL_SNAPSHOT_H

#include <stdint.h>

#include "noded/mysql/conn.h"
#include "noded/mysql/position.h"
#include "shared/err.h"
#include "shared/json.h"
#include "shared/list.h"

/* One consistent view of a whole server, on one connection or several
 * (docs/consistency.md). */

/* What tables a database had when the snapshot was taken. */
struct tables_mark {
	char *db, *mark;
};
struct tables_marks { LIST_OF(struct tables_mark); };
struct snapshot {
	const char *method; /* of begin.h */
	char *note;         /* why not a better one, "" */
	unsigned connections;
	bool locks_stay;    /* a rollback to a savepoint keeps the locks on tables: the account may not set sql_log_bin=0 */
	char *version;      /* of the server */
	char *charset, *collation; /* the server's defaults */
	struct position position;
	struct source source;
	char *text;                /* all of the position in one line, for people */
	struct tables_marks marks;
};
struct snapshot_opts {
	const struct db_access *access;
	const char *db;      /* the only database that will be read; NULL: any */
	int64_t wait_s;      /* the longest that a lock is waited for */
	const char *method;  /* NULL: the best that the server and the account have */
};

/* Connect, and take it on each of conns[0..*n): they are afterwards inside a
 * transaction and stay there. When the server has no way to give several the same
 * view, *n becomes 1. The position is that of the snapshot itself. On failure
 * nothing is left open. Errors as conn_open. */
int snapshot_open(struct snapshot *s, const struct snapshot_opts *o, struct conn **conns, unsigned *n, struct err *e) MUSTCHECK;
void snapshot_done(struct snapshot *s);
/* Definitions are not part of a snapshot. ERR_CONFLICT when tables of db were
 * created, dropped, renamed or altered since it was taken: to be asked once they are listed. */
int snapshot_same_tables(const struct snapshot *s, struct conn *c, const char *db, struct err *e) MUSTCHECK;
/* Members server_version, charset, collation, snapshot{...} of an open object. */
void snapshot_put(const struct snapshot *s, struct json_out *o);

#endif
