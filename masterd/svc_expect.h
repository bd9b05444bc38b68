/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_EXPECT_H
#define FELLOE_SVC_EXPECT_H

#include "masterd/master.h"
#include "masterd/tbl_expected.h"

/* Which firings of which timers are waited for (missed.h), kept in memory by
 * the master that leads and stored at each change. Main thread only. */
struct expect;
struct expect *expect_new(void);
void expect_free(struct expect *x);

/* Every few seconds: look at all nodes. False: not read from the database yet. */
bool expect_tick(struct expect *x, struct master *m, int64_t now);
/* Those of a node, *n of them; lent until the next tick. */
const struct expected *expect_of(const struct expect *x, int64_t node_id, size_t *n);
/* Since when this master has listened without a break, ms. */
int64_t expect_since(const struct expect *x);

#endif
