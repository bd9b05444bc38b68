/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_SAMPLE_H
#define FELLOE_TBL_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/wire.h"

/* Raw samples: a row is (node, ts). */

/* skewed: ts is the master's, the node's clock was far ahead. A sample that is
 * there already changes nothing. disks: the mounts as a JSON array, or NULL. */
int tbl_sample_add(struct db *db, int64_t node_id, const struct wire_sample *s, const char *disks, bool skewed,
		   struct err *e) MUSTCHECK;

/* A row as it is read; the lists stay empty, disks is lent until each returns. */
struct sample_row {
	struct wire_sample s;
	const char *disks;
};
struct sample_range {
	int64_t node_id, from, to; /* from <= ts < to */
};
/* Rows of the range by time. */
int tbl_sample_each(struct db *db, const struct sample_range *range,
		    void (*each)(void *ctx, const struct sample_row *row), void *ctx, struct err *e) MUSTCHECK;
int tbl_sample_expire(struct db *db, int64_t node_id, int64_t before, struct err *e) MUSTCHECK;

#endif
