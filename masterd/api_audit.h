/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_AUDIT_H
#define FELLOE_API_AUDIT_H

#include "masterd/req.h"

/* /audit: what it answers stands in docs/api.md. */
req_fn api_audit;

#endif
