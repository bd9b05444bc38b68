/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_LEAD_H
#define FELLOE_SVC_LEAD_H

#include "masterd/master.h"

/* Which of the masters on one database does the background work: the holder
 * of a lease of LEAD_MS, renewed each time this is called (at least every
 * LEAD_MS / 4). m->leads says the outcome; a master that cannot reach the
 * database in time leads no more. */
enum { LEAD_MS = 10000 };
#define LEAD_LEASE "background" /* its name (tbl_lease.h) */
void lead_renew(struct master *m, int64_t now);
/* At the end: let another take over at once. Waits for nothing. */
void lead_drop(struct master *m);
/* Does a master lead on this database, or did one in the last LEAD_MS without a farewell? */
int lead_held(struct db *db, bool *held, struct err *e) MUSTCHECK;

#endif
