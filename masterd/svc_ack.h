/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_ACK_H
#define FELLOE_SVC_ACK_H

#include "masterd/master.h"
#include "masterd/svc_audit.h"
#include "masterd/tbl_alert.h"
#include "shared/attr.h"

/* What people say to an alert. */
enum ack_what { ACK_SET, ACK_UNSET, SNOOZE_SET, SNOOZE_UNSET };

struct ack {
	struct job job;           /* first */
	struct master *m;
	struct actor actor;
	enum ack_what what;
	int64_t id, until;        /* until: of a snooze, ms */
	struct alert alert;       /* as it is after the job */
};
/* Queue it. In the job ERR_NOTFOUND, ERR_CONFLICT for one that is closed. Saying
 * the same twice is fine. */
int ack_queue(struct ack *v, struct err *e) MUSTCHECK;

#endif
