/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_ACCOUNT_H
#define FELLOE_API_ACCOUNT_H

#include "masterd/req.h"

/* What a person does with the own account: password and one-time codes. What each answers stands in docs/api.md. */
req_fn api_password, api_totp_seed, api_totp_on, api_totp_off;

#endif
