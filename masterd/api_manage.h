/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_MANAGE_H
#define FELLOE_API_MANAGE_H

#include "masterd/req.h"

/* PATCH and DELETE /nodes/{id}, POST /nodes/{id}/rotate-key. */
req_fn api_node_change, api_node_delete, api_node_rotate;

#endif
