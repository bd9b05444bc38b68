/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_AUTH_H
#define FELLOE_API_AUTH_H

#include "masterd/req.h"

/* /auth/...: what each answers stands in docs/api.md. */
req_fn api_login, api_refresh, api_logout, api_me;

#endif
