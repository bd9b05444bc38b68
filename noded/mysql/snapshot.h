/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_SNAPSHOT_H
#define FELLOE_MYSQL_SNAPSHOT_H

#include "noded/mysql/conn.h"
#include "shared/err.h"
#include "shared/json.h"

/* One consistent view of a whole server, on one connection. */

struct snapshot {
	const char *method; /* "single" */
	char *version;      /* of the server */
	char *charset, *collation; /* the server's defaults */
	char *file, *position;     /* of the binary log, "" when it is off or the server does not tell */
	char *gtid;                /* MariaDB: the position as GTID; MySQL: gtid_executed; "" likewise */
	char *text;                /* all of the position in one line, for people */
};

/* Take it: c is afterwards inside a transaction and stays there. The position
 * is that of the snapshot itself, no lock is needed for it (MariaDB, Percona). */
int snapshot_take(struct snapshot *s, struct conn *c, struct err *e) MUSTCHECK;
void snapshot_done(struct snapshot *s);
/* Members server_version, charset, collation, snapshot{...} of an open object. */
void snapshot_put(const struct snapshot *s, struct json_out *o);

#endif
