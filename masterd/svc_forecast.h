/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_FORECAST_H
#define FELLOE_SVC_FORECAST_H

#include "masterd/master.h"
#include "masterd/watch.h"

/* Which file systems fill up, from the hours of the last 30 days: all nodes once
 * an hour, a few at a time. Main thread only. */
struct forecasts;
struct forecasts *forecasts_new(void);
void forecasts_free(struct forecasts *f);

/* Look at the next few nodes, when it is time. */
void forecasts_tick(struct forecasts *f, struct master *m, int64_t now);
/* Those of a node that grow, *n of them; lent until the next tick. */
const struct filling *forecasts_of(const struct forecasts *f, int64_t node_id, size_t *n);

#endif
