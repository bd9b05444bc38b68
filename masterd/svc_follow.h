/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_FOLLOW_H
#define FELLOE_SVC_FOLLOW_H

#include <stdbool.h>

#include "masterd/master.h"

/* The journal of what changed (tbl_event.h), read by a thread of its own at
 * least once a second: what other masters on the database did becomes known
 * here, sleepers wake, and clients are told (feed.h). Kept for a day. */
struct follow;
#define JOURNAL_MS (INT64_C(24) * 3600 * 1000)

/* Notes where the journal ends; before live is filled, so that nothing is missed. */
int follow_new(struct follow **ret, struct master *m, struct err *e) MUSTCHECK;
/* The last event that was read. */
int64_t follow_at(struct follow *f);
int follow_start(struct follow *f, struct err *e) MUSTCHECK;
void follow_stop(struct follow *f);
void follow_free(struct follow *f);

/* Unknown here, but maybe known to the database, since another master did it a
 * moment ago: take it over. True: look again. Wrong keys are remembered for 2 s,
 * and few are asked for a second; the journal tells the rest. */
bool follow_key(struct master *m, const char *key);
bool follow_node(struct master *m, int64_t id);

/* From time to time: forget what is older than JOURNAL_MS. Nobody waits. */
void follow_expire(struct master *m, int64_t now);

#endif
