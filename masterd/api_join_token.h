/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_JOIN_TOKEN_H
#define FELLOE_API_JOIN_TOKEN_H

#include "masterd/req.h"

/* GET, POST /join-tokens, PATCH, DELETE /join-tokens/{id}. */
req_fn api_join_tokens, api_join_token_add, api_join_token_change, api_join_token_drop;

#endif
