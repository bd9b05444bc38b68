/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_NOTIFY_H
#define FELLOE_SVC_NOTIFY_H

#include "masterd/master.h"
#include "masterd/ticket.h"
#include "shared/attr.h"

/* Tells channels what waits for them (tbl_channel.h), on a thread of its own, on
 * the master that leads. A message goes out at least once: it is numbered in the
 * database before it is sent and taken out after; one that was sent and not yet
 * taken out when the master died goes out again under the same number. A channel
 * that fails is tried again after 1 min, 2 min ... 1 h; what is 24 h old is given
 * up. */
struct notifier;
int notifier_new(struct notifier **ret, struct master *m, struct err *e) MUSTCHECK;
/* A channel gets one message in so many seconds at most; any thread. */
void notifier_every(struct notifier *n, int64_t seconds);
/* Ends at once, whatever is under way; before writer_stop. */
void notifier_stop(struct notifier *n);
void notifier_free(struct notifier *n);

/* A test message, on any master: done when ticket is. */
struct channel_test {
	struct ticket *ticket;
	int64_t channel_id;
	int rc;                   /* the outcome */
	struct err err;
	struct channel_test *next;
};
/* t is the notifier's until its ticket is done. */
void notifier_test(struct notifier *n, struct channel_test *t);

#endif
