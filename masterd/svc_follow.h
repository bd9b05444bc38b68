/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_FOLLOW_H
#define FELLOE_SVC_FOLLOW_H

#include "masterd/master.h"

/* The journal of what changed (tbl_event.h): kept for a day, so that others can
 * catch up. */
#define JOURNAL_MS (INT64_C(24) * 3600 * 1000)

/* From time to time: forget what is older. Nobody waits. */
void follow_expire(struct master *m, int64_t now);

#endif
