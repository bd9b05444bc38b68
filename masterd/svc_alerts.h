/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_ALERTS_H
#define FELLOE_SVC_ALERTS_H

#include "masterd/master.h"

/* The life of alerts: the master that leads holds what is wrong (watch.h)
 * against what is open, opens, counts, closes, and queues what channels are to
 * be told. Main thread only. */
struct alerting;
struct alerting *alerting_new(void);
void alerting_free(struct alerting *a);

/* Jobs (jobs.h). Of the master that leads, every few seconds: */
void alerts_tick(struct master *m, int64_t now);
/* Of every master: what is open shows in the nodes' health. */
void alerts_show(struct master *m, int64_t now);
/* Once in a while: forget those that were closed long ago. */
void alerts_expire(struct master *m, int64_t now);

#endif
