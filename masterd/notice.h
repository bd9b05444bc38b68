/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_NOTICE_H
#define FELLOE_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/tbl_alert.h"
#include "masterd/tbl_channel.h"
#include "shared/attr.h"

/* What channels are told of an alert. */
enum notice_event { NOTICE_OPENED, NOTICE_REPEATED, NOTICE_REMINDER, NOTICE_RECOVERED, NOTICE_EVENTS };

struct notice {
	enum notice_event event;
	const struct alert *alert;
	const char *node, *tags;  /* its name; JSON array of texts */
	int64_t now;
};

/* Inside a job: queue it for each enabled channel whose filter (tbl_channel.h) lets it pass. */
int notice_queue(struct db *db, const struct channels *channels, const struct notice *n, struct err *e) MUSTCHECK;

#endif
