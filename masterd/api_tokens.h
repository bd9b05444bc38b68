/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_TOKENS_H
#define FELLOE_API_TOKENS_H

#include "masterd/req.h"

/* /api-tokens: what each answers stands in docs/api.md. */
req_fn api_tokens, api_token_add, api_token_change, api_token_drop;

#endif
