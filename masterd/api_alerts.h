/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_ALERTS_H
#define FELLOE_API_ALERTS_H

#include "masterd/req.h"

/* What is wrong (docs/api.md). */
req_fn api_alerts, api_alert, api_alert_ack, api_alert_unack, api_alert_snooze, api_alert_unsnooze;

#endif
