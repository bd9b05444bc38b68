/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_SAMPLE_H
#define FELLOE_TBL_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "masterd/db.h"
#include "masterd/hot.h"
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
int tbl_journal_add(struct db *db, const struct journal_row *row, struct err *e) MUSTCHECK;
/* Those of the origin after the number, in order, at most max; doc is lent until each returns. each
 * returns -1 to stop with its error. *last is the number of the last one. */
int tbl_journal_each(struct db *db, struct journal_id *last, int64_t max,
		     int (*each)(void *ctx, const struct journal_row *row, struct err *e), void *ctx,
		     struct err *e) MUSTCHECK;
/* The origin after this name that has rows, with its oldest number: 1; 0 when there is none. */
int tbl_journal_next(struct db *db, struct journal_id *v, struct err *e) MUSTCHECK;
/* Delete up to there, at most about max rows. *more: some are left. */
int tbl_journal_delete(struct db *db, const struct journal_id *upto, int64_t max, bool *more, struct err *e) MUSTCHECK;

#endif
