/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_LOCKED_H
#define FELLOE_MYSQL_LOCKED_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/mysql/conn.h"
#include "noded/mysql/watch.h"

/* Tables of engines that have no snapshots (MyISAM, Aria, MEMORY, CSV ...): each
 * is locked against writers while its rows are read, on a connection of its own,
 * for LOCK TABLES would end the snapshot's transaction. So a table agrees with
 * itself, though not with the snapshot.
 *
 * For a table with locked_wanted(engine): locked_open, read all of its rows over
 * locked.c (statements may name no other table, nor an alias, and need no
 * savepoint), locked_close. */

struct locked {
	struct conn *c;
	struct watch *watch;   /* lent */
	const char *db, *table;/* lent */
};
struct locked_opts {
	const struct db_access *access;
	struct watch *watch;   /* told of the table and the connection; may be NULL */
	const char *db, *table;/* lent until locked_close */
	int64_t wait_s;        /* the longest that writers are waited for */
};
/* "" (the server cannot tell): false. */
bool locked_wanted(const char *engine);
/* ERR_DENIED and ERR_FORBIDDEN: the account has no LOCK TABLES: read it over a connection of the snapshot
 * and warn. ERR_BUSY: others hold the table for longer than wait_s. Nothing to close on failure. */
int locked_open(struct locked *ret, const struct locked_opts *o, struct err *e) MUSTCHECK;
void locked_close(struct locked *l);

#endif
