/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_EVENTS_H
#define FELLOE_API_EVENTS_H

#include "masterd/req.h"

/* /events (docs/api.md). */
enum verdict api_events(struct req *r);

#endif
