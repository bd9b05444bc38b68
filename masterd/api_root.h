/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_ROOT_H
#define FELLOE_API_ROOT_H

#include "masterd/req.h"

/* /health: the process answers. /ready: so does its database. */
req_fn api_health, api_ready;

#endif
