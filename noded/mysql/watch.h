/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_WATCH_H
#define FELLOE_MYSQL_WATCH_H

#include <stdint.h>

#include "noded/mysql/conn.h"
#include "noded/mysql/halt.h"
#include "noded/mysql/hot.h"

/* Sees to it that nobody waits long for a lock of ours. A thread with a connection
 * of its own looks every second for statements that wait for a table which is
 * being read. After wait_s of that it sets the halt (ERR_CONFLICT, naming the
 * table) and cuts the readers' connections, at the server too, so that the locks
 * are gone even when a reader waits for its sink.
 *
 * Without the PROCESS privilege it sees the statements of its own account only. */

struct watch;
struct watch_opts {
	const struct db_access *access; /* lent until watch_stop */
	int64_t wait_s;
	struct halt *halt;
};
/* Errors as conn_open: then nobody watches. */
int watch_start(struct watch **ret, const struct watch_opts *o, struct err *e) MUSTCHECK;
/* Before any watched connection is closed. NULL is fine. */
void watch_stop(struct watch *w);

/* A connection that has to go when the time is up. From any thread; w may be NULL, here and below. */
void watch_conn(struct watch *w, const struct conn *c);
void watch_forget(struct watch *w, const struct conn *c);
/* One reader more, or less, has locks on that table. Call hold before its first
 * statement, release after the locks are gone. */
void watch_hold(struct watch *w, const char *db, const char *table);
void watch_release(struct watch *w, const char *db, const char *table);
/* Once for a table whose locks stay until the snapshot ends. */
void watch_keep(struct watch *w, const char *db, const char *table);
/* Adds the table for which it gave the snapshot up, if it did. */
void watch_met(struct watch *w, struct hot *ret);

#endif
