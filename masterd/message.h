/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MESSAGE_H
#define FELLOE_MESSAGE_H

#include <stdatomic.h>
#include <stdint.h>

#include "masterd/tbl_channel.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/http.h"

/* One message to a channel: a webhook's JSON with its signature, Slack-style
 * JSON, or a mail (docs/api.md). */
struct message {
	const struct alert_channel *channel;
	const char *secrets;      /* JSON object: what was sealed */
	const struct deliveries *notices; /* none: a test */
	char id[UUID_TEXT];       /* the same when it is sent again */
	int64_t now;
	const atomic_bool *stop;  /* give up when it becomes true */
};
enum { MESSAGE_TIMEOUT_S = 10 };

/* Send it. The error names the other end by host and port alone: addresses of
 * webhooks are secrets too. */
int message_send(const struct message *m, struct http *h, struct err *e) MUSTCHECK;

#endif
