/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_EVENT_H
#define FELLOE_TBL_EVENT_H

#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"

/* The journal of what changed, written in the transaction of the change: other
 * masters on the same database and clients that were away follow it. It names
 * the thing only; who follows reads how it is now. Since every rule runs alone
 * (db_rules), numbers are in the order of the commits. */
enum event_kind { EVENT_NODE, EVENT_JOIN, EVENT_RUN, EVENT_ALERT, EVENT_REQUEST, EVENT_ORIGIN, EVENT_KINDS };

struct event {
	int64_t id, at;           /* at: ms */
	char origin[UUID_TEXT];   /* instance of the master that wrote it (master.h) */
	enum event_kind kind;     /* read: EVENT_KINDS for one that only a newer master knows */
	int64_t node_id;          /* 0 none */
	char ref[64];             /* uuid of a run, number of an alert ...; "" the node itself */
};

/* The number is given, and who waits in db_hear is woken by the commit. */
int tbl_event_add(struct db *db, const struct event *ev, struct err *e) MUSTCHECK;
/* Those after the number after, in order, at most max. each returns non-zero to stop. */
int tbl_event_each(struct db *db, int64_t after, int64_t max, int (*each)(void *ctx, const struct event *ev), void *ctx,
		   struct err *e) MUSTCHECK;
/* The newest and the oldest number, 0 and 0 when there is none. */
int tbl_event_range(struct db *db, int64_t *oldest, int64_t *newest, struct err *e) MUSTCHECK;
int tbl_event_expire(struct db *db, int64_t before, struct err *e) MUSTCHECK;

#endif
