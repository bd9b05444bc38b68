/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_JOIN_H
#define FELLOE_API_JOIN_H

#include "masterd/req.h"
#include "masterd/svc_enrol.h"

/* /nodes/join-request, .../reveal, /nodes/status/{id}, approve, block, unblock. */
/* For handlers that decide over the node in {id}: the job (NULL: the reply is set), its
 * start, and the answer once it is done: the node as GET shows it. */
struct enrol *api_enrol_node(struct req *r);
enum verdict api_enrol_started(struct req *r, int rc, const struct err *e, req_fn *then);
req_fn api_enrol_decided;

req_fn api_join_ask, api_join_reveal, api_join_status, api_approve, api_block, api_unblock;

#endif
