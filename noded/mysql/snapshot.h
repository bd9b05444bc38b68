/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_SNAPSHOT_H
#define FELLOE_MYSQL_SNAPSHOT_H

#include <stdint.h>

#include <signal.h>

#include "noded/mysql/cluster.h"
#include "noded/mysql/conn.h"
#include "noded/mysql/hot.h"
#include "noded/mysql/position.h"
#include "shared/err.h"
#include "shared/json.h"
#include "shared/list.h"

/* One consistent view of a whole server, on one connection or several
 * (docs/consistency.md). */

/* What tables a database had when the snapshot was taken. */
struct tables_mark {
	char *db, *mark;
	uint64_t bytes;     /* of their rows, about */
};
/* Of a row of information_schema.TABLES: name and time of creation, which a RENAME and an ALTER change too, as a
 * number of 64 bits. MD5, because CRC32 and XOR would not see that two tables exchanged their names. */
#define TABLE_MARK "CAST(CONV(LEFT(MD5(CONCAT(TABLE_NAME, ' ', COALESCE(CREATE_TIME, ''))), 16), 16, 10) AS UNSIGNED)"
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
	struct cluster cluster;
	char *text;                /* all of the position in one line, for people */
	struct tables_marks marks;
	struct hot hot;            /* what each session has locked from its beginning on */
	char *since;               /* when taking it began, in the server's words */
};
struct snapshot_opts {
	const struct db_access *access;
	const char *db;      /* the only database that will be read; NULL: any */
	int64_t wait_s;      /* the longest that a lock is waited for */
	const char *method;  /* NULL: the best that the server and the account have */
	const volatile sig_atomic_t *stop; /* as in dump_opts; may be NULL */
	const struct hot *hot; /* those that are there become hot of the snapshot; lent, NULL: none */
};

/* Connect, and take it on each of conns[0..*n): they are afterwards inside a
 * transaction and stay there. When the server has no way to give several the same
 * view, *n becomes 1. The position is that of the snapshot itself. On failure
 * nothing is left open. Errors as conn_open and cluster_in_step; ERR_CONFLICT when ALTERs of hot tables
 * came in between again and again, for 20 s at most; ERR_ABORTED by stop in that time. */
int snapshot_open(struct snapshot *s, const struct snapshot_opts *o, struct conn **conns, unsigned *n, struct err *e) MUSTCHECK;
void snapshot_done(struct snapshot *s);
/* Definitions are not part of a snapshot. ERR_CONFLICT when tables of db were created, dropped, renamed or altered since
 * it was taken: when the n that were listed then, and the XOR of their TABLE_MARKs, are not those of before; both
 * without hot tables. The server opens each table for that, so it is asked once. */
int snapshot_same_tables(const struct snapshot *s, const char *db, size_t n, uint64_t marks, struct err *e) MUSTCHECK;
/* Bytes of the rows of db, as the server guesses them. */
uint64_t snapshot_bytes(const struct snapshot *s, const char *db);
/* Members server_version, charset, collation, snapshot{...} of an open object. */
void snapshot_put(const struct snapshot *s, struct json_out *o);

#endif
