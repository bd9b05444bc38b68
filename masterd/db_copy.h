/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DB_COPY_H
#define FELLOE_DB_COPY_H

#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"

/* Copy all of a master's data into an empty database of any kind, table by table,
 * each in one transaction; then compare how many rows there are on both sides and
 * let the new database go on with the numbers that the old one gives. told is
 * called after some rows and at the end of each table (done). The source must have
 * every migration; while it is copied no other writer gets past db_rules there.
 * ERR_CONFLICT: somebody changed it all the same, or the target holds data; what
 * was copied until then is left there. A leader's lease is not copied. */
struct copy_step {
	const char *table;
	int64_t rows;
	bool done;
};
int db_copy(struct db *from, struct db *to, void (*told)(const struct copy_step *step), struct err *e) MUSTCHECK;

#endif
