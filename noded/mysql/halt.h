/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_HALT_H
#define FELLOE_MYSQL_HALT_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "shared/err.h"

/* Why all who read one snapshot, or load one schema, must end together: a signal,
 * the failure of one of them, or a table that somebody waits for. The first
 * reason counts. Any thread may ask and set. */

struct halt {
	const volatile sig_atomic_t *stop;
	atomic_bool set;
	pthread_mutex_t lock;
	struct err why;      /* under the lock */
};

/* stop as in dump_opts, may be NULL. */
void halt_init(struct halt *h, const volatile sig_atomic_t *stop);
void halt_done(struct halt *h);
/* Ends all, for this reason unless there was one before. Worth -1. */
int halt_set(struct halt *h, const struct err *why);
/* 0 to go on, or -1 and the reason: ERR_ABORTED when it was stop. To be asked often: costs two loads. */
int halt_check(struct halt *h, struct err *e) MUSTCHECK;

#endif
