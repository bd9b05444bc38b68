/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_USERS_H
#define FELLOE_API_USERS_H

#include "masterd/req.h"

/* /users: what each answers stands in docs/api.md. */
req_fn api_users, api_user_add, api_user_change, api_user_drop;

#endif
