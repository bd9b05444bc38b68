/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_JOIN_H
#define FELLOE_API_JOIN_H

#include "masterd/req.h"

/* /nodes/join-request, .../reveal, /nodes/status/{id}, approve, block, unblock. */
req_fn api_join_ask, api_join_reveal, api_join_status, api_approve, api_block, api_unblock;

#endif
