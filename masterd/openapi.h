/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_OPENAPI_H
#define FELLOE_OPENAPI_H

#include "masterd/route.h"

/* GET /openapi.json: the OpenAPI 3.1 document of the route table, made from it and from
 * what doc.h says of each row. */
req_fn api_openapi;

#endif
