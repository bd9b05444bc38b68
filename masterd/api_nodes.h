/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_NODES_H
#define FELLOE_API_NODES_H

#include "masterd/req.h"

/* GET /nodes/, /nodes/{id}, /timers, /storages. */
req_fn api_nodes, api_node, api_timers, api_storages;

#endif
