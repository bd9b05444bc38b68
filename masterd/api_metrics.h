/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_METRICS_H
#define FELLOE_API_METRICS_H

#include "masterd/req.h"

/* GET /metrics: the fleet (as far as who asks may see it), this master and its
 * process in the text form of Prometheus. */
req_fn api_metrics;

#endif
