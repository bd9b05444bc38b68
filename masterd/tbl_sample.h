/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_SAMPLE_H
#define FELLOE_TBL_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "masterd/db.h"
#include "masterd/hot.h"
#include "masterd/sample.h"
#include "shared/attr.h"
#include "shared/err.h"

/* ---- the journal of samples: a row holds all of one transaction of one master.
 * Each master counts its own rows, in the order of its commits; so who follows
 * them origin by origin misses none. */

struct journal_row {
	struct journal_id id;
	int64_t at;               /* ms */
	int64_t samples;          /* how many, for people; not read back */
	const void *doc;          /* frames (sample.h) */
	size_t n;
};
/* The caller numbers it: row->id is one above the last of its origin. */
int tbl_journal_add(struct db *db, const struct journal_row *row, struct err *e) MUSTCHECK;
/* Those of the origin after the number, in order, at most max; doc is lent until each returns. each
 * returns -1 to stop with its error. *last is the number of the last one. */
int tbl_journal_each(struct db *db, struct journal_id *last, int64_t max,
		     int (*each)(void *ctx, const struct journal_row *row, struct err *e), void *ctx,
		     struct err *e) MUSTCHECK;
/* The origin after this name that has rows, with its oldest number: 1; 0 when there is none. */
int tbl_journal_next(struct db *db, struct journal_id *v, struct err *e) MUSTCHECK;
/* The oldest number of this origin: 1; 0 when there is none. */
int tbl_journal_first(struct db *db, struct journal_id *v, struct err *e) MUSTCHECK;
/* Delete up to there, at most about max rows. *more: some are left. */
int tbl_journal_delete(struct db *db, const struct journal_id *upto, int64_t max, bool *more, struct err *e) MUSTCHECK;

/* ---- blocks: raw samples by the hour, minutes by the day, hours by 30 days */

enum resolution { RES_RAW, RES_MINUTE, RES_HOUR, RESOLUTIONS };
const char *resolution_name(enum resolution r);
/* What a row stands for (0: a sample), and a block, in ms. */
int64_t resolution_step(enum resolution r);
int64_t resolution_span(enum resolution r);

struct block_key {
	enum resolution res;
	int64_t node_id, start;
};
/* ret (empty before) stays empty when there is none. ERR_DAMAGED. */
int tbl_block_get(struct db *db, const struct block_key *k, struct block *ret, struct err *e) MUSTCHECK;
int tbl_block_put(struct db *db, const struct block_key *k, const struct block *b, struct err *e) MUSTCHECK;
/* Delete the node's blocks that start before k->start. */
int tbl_block_expire(struct db *db, const struct block_key *k, struct err *e) MUSTCHECK;
/* Where the database keeps days in pieces: make those for at and the day after,
 * drop those whose blocks all end at or before. Hours are not kept so. */
int tbl_block_days(struct db *db, enum resolution r, int64_t at, int64_t before, struct err *e) MUSTCHECK;

#endif
