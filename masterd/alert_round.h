/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_ALERT_ROUND_H
#define FELLOE_ALERT_ROUND_H

#include <stdatomic.h>

#include "masterd/master.h"
#include "masterd/tbl_alert.h"
#include "masterd/writer.h"
#include "shared/list.h"

/* What one look at all nodes changes about the alerts: a job of the writer, with
 * the events of the changes and the notices that channels get. */

enum { ROUND_IDLE, ROUND_AT_WORK, ROUND_DONE, ROUND_FAILED };
enum alert_change { STEP_OPEN, STEP_REPEAT, STEP_REFRESH, STEP_REMIND, STEP_CLOSE };

/* One change of one alert; a becomes the row as it was stored. */
struct alert_step {
	enum alert_change what;
	struct alert a;
	char node[WIRE_HOST];
	char *tags;               /* NULL: the node is gone */
};

struct alert_round {
	struct job job;           /* first */
	struct master *m;
	atomic_int *state;
	int64_t now, repeat_ms;
	struct { LIST_OF(struct alert_step); } steps;
};

/* NULL is fine. */
void alert_round_free(struct alert_round *v);
/* Hand it to the writer. *state is ROUND_AT_WORK until it is ROUND_DONE (each step's a is the
 * row as it stands) or ROUND_FAILED; v and state stay until then. */
void alert_round_put(struct alert_round *v, atomic_int *state);

#endif
