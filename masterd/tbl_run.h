/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_RUN_H
#define FELLOE_TBL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "masterd/scope.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/wire.h"

/* Runs as their nodes reported them: columns to look for, the whole as JSON.
 *
 * The order of runs is that of "began", not of "started", which is what the node's clock said: one that was wrong
 * once must not make a run the newest of its site for ever, or hide a new one. "began" is started, but never after
 * the master first heard of the run, and after the run that the node made before (previous). "ended" is finished,
 * but never after the master first heard of the end, nor before began. Both stay what they are whatever comes of the run later. */

/* A clock that is off by more is wrong. */
enum { CLOCK_OFF_MS = 5 * 60000 };

struct run_fate {
	bool news;                /* it was kept: its rev was higher than the one we had */
	bool first;               /* there was none */
};
/* Keep r of node_id when its rev is higher than the one we have, and give it its began, ended and clock_ahead_s; what
 * it says of them itself does not count. ERR_CONFLICT when the uuid is another node's. */
int tbl_run_put(struct db *db, int64_t node_id, struct wire_run *r, int64_t now, struct run_fate *ret,
		struct err *e) MUSTCHECK;

struct run_query {
	int64_t node_id;          /* 0 any */
	const char *site, *state; /* NULL any */
	int64_t since;            /* began at or after; 0 any */
	int64_t after_began;      /* the last one of the page before */
	const char *after_uuid;   /* NULL: first page */
	int64_t limit;
	const struct scope *scope; /* only of nodes in it */
};
struct run_row {
	int64_t node_id, began, ended, ahead_ms, proven, pruned;
	const char *uuid, *site, *state, *doc, *log; /* lent until each returns; log only of one run */
};
typedef int run_each(void *ctx, const struct run_row *row);
/* The run without its log; wire_run_done it. False: what is stored cannot be read. */
bool run_row_get(struct wire_run *ret, const struct run_row *row);
/* An archive of it is known to be damaged, or it does not restore; one that was pruned is missed by nobody. */
bool run_is_damaged(const struct wire_run *r);
/* The run as JSON with its node's name, and its log unless NULL, put in at the front. */
void run_row_put(struct buf *b, const struct run_row *row, const char *node, const char *log);
/* Newest first. each returns non-zero to stop. */
int tbl_run_list(struct db *db, const struct run_query *q, run_each *each, void *ctx, struct err *e) MUSTCHECK;
/* ERR_NOTFOUND. */
int tbl_run_get(struct db *db, const char *uuid, run_each *each, void *ctx, struct err *e) MUSTCHECK;
/* Of each (node, site) the newest finished run, the newest good one, the newest one that was proven restorable, and
 * all that are damaged; the oldest first. */
int tbl_run_latest(struct db *db, run_each *each, void *ctx, struct err *e) MUSTCHECK;

/* The same of one site without the newest that ended: what still stands when a run turns out to be no good one, or is
 * pruned. A pruned run is no good one; that it was proven restorable stays true. */
int tbl_run_standing(struct db *db, int64_t node_id, const char *site, run_each *each, void *ctx, struct err *e) MUSTCHECK;

/* A timer that was due. */
struct firing {
	int64_t node_id;
	const char *timer;
	int64_t due, from, to;
};
/* Did a run of the timer start within [from, to], or was one still at work at due (begun at most 3 days before)? */
int tbl_run_covers(struct db *db, const struct firing *f, bool *ret, struct err *e) MUSTCHECK;

#endif
