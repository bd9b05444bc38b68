/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_STATS_H
#define FELLOE_API_STATS_H

#include "masterd/req.h"

/* POST /stats of nodes; GET /nodes/{id}/stats. */
req_fn api_stats, api_node_stats;

#endif
