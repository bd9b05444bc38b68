/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_WATCH_H
#define FELLOE_WATCH_H

#include <stdint.h>

#include "masterd/config.h"
#include "masterd/health.h"
#include "masterd/tbl_alert.h"
#include "masterd/tbl_expected.h"
#include "shared/list.h"

/* What is wrong with a node now: rules without a memory. Whether that makes an
 * alert is decided elsewhere (svc_alerts.h). */

struct condition {
	enum alert_kind kind;
	enum severity severity;
	char ref[WIRE_TEXT], stamp[ALERT_STAMP], run[UUID_TEXT]; /* as in struct alert */
	char cause[ALERT_CAUSE], next_step[ALERT_STEP];
};
struct conditions {
	LIST_OF(struct condition);
};

/* A file system that fills up (forecast.h). */
struct filling {
	int64_t node_id;
	char mount[WIRE_TEXT];
	double days, per_day;     /* until it is full; percent */
	int64_t span;             /* ms that were looked at */
};

struct watch {
	const struct config_alerts *limits;
	int64_t now, since;       /* silence counts from since on: before, nobody listened */
	bool silent;              /* known as silent already: then since says nothing */
	const struct expected *expected; /* those of the node */
	size_t n_expected;
	const struct filling *filling;
	size_t n_filling;
};
/* Append to ret what is wrong with the node now. */
void watch_node(const struct watch *w, const struct live_node *n, struct conditions *ret);

/* Must it hold for a while before it opens, be gone for a while before it closes? */
bool watch_opens_late(enum alert_kind k);
bool watch_closes_late(enum alert_kind k);

#endif
