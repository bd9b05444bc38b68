/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_BEGIN_H
#define FELLOE_MYSQL_BEGIN_H

#include <stdint.h>

#include "noded/mysql/cluster.h"
#include "noded/mysql/conn.h"
#include "noded/mysql/position.h"
#include "shared/buf.h"

/* The ways to give several connections the same view of a server, best first
 * (docs/consistency.md). None waits longer than wait_s for a lock, nor keeps one
 * once the view is taken. */

struct begin {
	const struct db_access *access;
	int64_t wait_s;              /* the longest that a lock is waited for */
	const char *only;            /* this method or "single"; NULL: the best */
	const struct binlog *log;
	struct conn *const *conns;
	unsigned n;                  /* how many; became 1 when there was no way for more */
	struct buf why;              /* why not a better one, "" */
	struct position position;    /* filled by those that know it better than the snapshot itself */
	struct cluster *cluster;     /* marked again, exactly, by those that hold writers off */
};

/* Start a transaction on conns[0..n) and name the method: "binlog-snapshot", "backup-stage",
 * "from-session", "lock-instance", "read-lock" or "single". */
int begin_best(struct begin *b, const char **method, struct err *e) MUSTCHECK;

#endif
