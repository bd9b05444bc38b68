/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_CHANNELS_H
#define FELLOE_API_CHANNELS_H

#include "masterd/req.h"

/* Where alerts are told (docs/api.md). */
req_fn api_channels, api_channel_add, api_channel_change, api_channel_drop, api_channel_test;

#endif
