/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_POSITION_H
#define FELLOE_MYSQL_POSITION_H

#include <stdbool.h>

#include "noded/mysql/conn.h"
#include "shared/json.h"
#include "shared/list.h"

/* Where a server stands in its binary log and in that of its source. */

struct binlog {
	bool maria;
	bool on;            /* @@log_bin */
	bool tells;         /* Binlog_snapshot_position is that of a session's own snapshot: no lock is needed to learn it */
	char why_not[256];  /* "": each change of any table moves the position on. Else why that is not sure, and the grant */
};
void binlog_look(struct binlog *ret, struct conn *c);

struct position {
	char *file, *offset;  /* "" when the log is off or the server does not tell */
	char *gtid;           /* MariaDB: the position as GTID; MySQL: gtid_executed */
};
/* "FILE:OFFSET" of the snapshot that c is in; ":" when binlog.tells is not set. Quick, unlike the GTID. Yours. */
char *place_of_snapshot(struct conn *c);
/* Of the snapshot that c is in; all "" when binlog.tells is not set. */
void position_of_snapshot(struct position *ret, struct conn *c);
/* Of now: somebody has to hold writers off. Needs BINLOG MONITOR (MySQL: REPLICATION CLIENT), else "". */
void position_of_now(struct position *ret, struct conn *c);
void position_done(struct position *p);

/* Of a replica: up to where it follows. */
struct channel {
	char *name;   /* of the connection, "" the usual one */
	char *host, *port, *file, *offset;
};
struct source {
	struct { LIST_OF(struct channel); } channels;
	char *gtid;   /* of the snapshot, exactly */
	bool hidden;  /* it replicates, and the account may not see from where */
};
/* Before the snapshot is taken: files and offsets are those up to which all is in the snapshot; a
 * transaction behind them may be in it as well. */
void source_look(struct source *ret, struct conn *c, bool maria);
/* In the snapshot. */
void source_of_snapshot(struct source *s, struct conn *c);
void source_done(struct source *s);
/* The member "source": null when the server follows none. */
void source_put(const struct source *s, struct json_out *o);

/* One text value of a statement, or "" when the server does not know the question. */
char *ask_text(struct conn *c, const char *sql, unsigned column);

#endif
