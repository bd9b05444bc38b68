/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_SNAPSHOT_H
#define FELLOE_MYSQL_SNAPSHOT_H

#include "noded/mysql/conn.h"
#include "shared/err.h"
#include "shared/json.h"

/* One consistent view of a whole server, on one connection or several. */

struct snapshot {
	const char *method; /* "binlog-snapshot", "single" */
	char *version;      /* of the server */
	char *charset, *collation; /* the server's defaults */
	char *file, *position;     /* of the binary log, "" when it is off or the server does not tell */
	char *gtid;                /* MariaDB: the position as GTID; MySQL: gtid_executed; "" likewise */
	char *text;                /* all of the position in one line, for people */
};

/* Connect, and take it on each of conns[0..*n): they are afterwards inside a
 * transaction and stay there. When the server has no way to give several the same
 * view, *n becomes 1. The position is that of the snapshot itself. On failure
 * nothing is left open. Errors as conn_open. */
int snapshot_open(struct snapshot *s, const struct db_access *a, struct conn **conns, unsigned *n, struct err *e) MUSTCHECK;
void snapshot_done(struct snapshot *s);
/* Members server_version, charset, collation, snapshot{...} of an open object. */
void snapshot_put(const struct snapshot *s, struct json_out *o);

#endif
