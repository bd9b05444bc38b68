/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_EXPECTED_H
#define FELLOE_TBL_EXPECTED_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/list.h"
#include "shared/wire.h"

/* What the timers of nodes declared to come, remembered over a restart. All
 * times but missed_at are of the node's clock. */
struct expected {
	int64_t node_id;
	char timer[WIRE_NAME], on_calendar[WIRE_TEXT];
	int64_t due;              /* the firing that is waited for; 0 none */
	int64_t before;           /* the one before; 0 not known */
	int64_t period;           /* between the last two that were seen to follow each other; 0 not known */
	int64_t steady;           /* how many such distances in a row were the same */
	int64_t missed;           /* the newest that did not happen, until one does; 0 none */
	int64_t missed_at;        /* when the master found that out */
	int64_t times;            /* how many were missed since the last one that happened */
};
struct expecteds {
	LIST_OF(struct expected);
};

/* Insert or replace. */
int tbl_expected_put(struct db *db, const struct expected *x, struct err *e) MUSTCHECK;
int tbl_expected_drop(struct db *db, int64_t node_id, const char *timer, struct err *e) MUSTCHECK;
/* By node and timer; missed_only: those with a firing that did not happen. */
int tbl_expected_list(struct db *db, bool missed_only, struct expecteds *ret, struct err *e) MUSTCHECK;

#endif
