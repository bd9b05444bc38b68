/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_HISTORY_H
#define FELLOE_SVC_HISTORY_H

#include <stdint.h>

#include "masterd/master.h"
#include "masterd/sample.h"
#include "masterd/tbl_sample.h"
#include "shared/attr.h"
#include "shared/err.h"

/* The history of samples: journal -> memory (hot.h) -> blocks. */

/* At the start: the journal into memory, its newest samples into live. */
int history_load(struct master *m, struct err *e) MUSTCHECK;
/* Once a second: take what other masters on our database committed. */
void history_follow(struct master *m, int64_t now);

/* Once a minute: forget what another master, or we, have packed. */
void history_settle(struct master *m, int64_t now);

/* Put what memory holds of the node into blocks, in the transaction that db is
 * in. Doing it twice changes nothing more. *upto is for hot_packed, once it is
 * committed. */
int history_pack_node(struct master *m, struct db *db, int64_t node_id, uint32_t *upto, struct err *e) MUSTCHECK;
/* How long samples of this resolution are kept, ms. */
int64_t history_keeps(const struct master *m, enum resolution r);

/* Samples or means of a node by time, block by block. */
struct series {
	int64_t node_id, from, to; /* from <= ts < to; a mean belongs to the start of its step */
	enum resolution res;
	/* b is lent until it returns; its rows may lie outside of the range. */
	void (*each)(void *ctx, const struct block *b);
	void *ctx;
};
/* What was committed, packed or not. */
int history_series(struct master *m, const struct series *s, struct err *e) MUSTCHECK;

/* How full a mount was in an hour, on average. */
struct disk_hour {
	const char *mount;        /* lent until each returns */
	int64_t ts;               /* start of the hour, ms */
	double percent;
};
struct disks_of {
	int64_t node_id, from;
	void (*each)(void *ctx, const struct disk_hour *h);
	void *ctx;
};
/* Of each mount of the node the hours since from, by time: what a forecast is
 * made of. A month is read from two blocks. */
int history_disks(struct master *m, const struct disks_of *d, struct err *e) MUSTCHECK;

#endif
