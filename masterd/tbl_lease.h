/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_LEASE_H
#define FELLOE_TBL_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"

/* Take or renew the lease name for holder until the given time, when nobody
 * else holds it at now (both db_now). *got: it is ours. A lease that lasts longer
 * than until is of a clock that was set back since, and held by nobody. */
struct lease {
	const char *name, *holder;
	int64_t now, until;
};
int tbl_lease_take(struct db *db, const struct lease *l, bool *got, struct err *e) MUSTCHECK;
/* Would taking it meet another holder? */
int tbl_lease_held(struct db *db, const struct lease *l, bool *held, struct err *e) MUSTCHECK;
/* Give it back, so that another need not wait for its end. */
int tbl_lease_drop(struct db *db, const struct lease *l, struct err *e) MUSTCHECK;

#endif
