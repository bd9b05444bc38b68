/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_REQUESTS_H
#define FELLOE_API_REQUESTS_H

#include "masterd/req.h"

/* POST and GET /nodes/{id}/requests, GET and DELETE .../{rid}, PUT /node/requests/{rid} of nodes. */
req_fn api_request_add, api_requests, api_request, api_request_withdraw, api_request_tell;

#endif
