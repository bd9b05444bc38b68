/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_OUTBOX_H
#define FELLOE_OUTBOX_H

#include <stdint.h>

#include "shared/buf.h"
#include "shared/err.h"
#include "shared/list.h"
#include "shared/wire.h"

/* What the master has not acknowledged yet: state/node/outbox.db (docs/outbox.md).
 * Several processes may have it open; one struct belongs to one thread. */

struct outbox;

enum { OUTBOX_BATCH = 500, OUTBOX_BATCH_BYTES = 192 << 10 };

/* Open, make or bring up to date (the folder too, 0700). */
int outbox_open(struct outbox **ret, struct err *e) MUSTCHECK;
/* One in memory, for as long as its disk is full; it is gone with the process. */
int outbox_open_memory(struct outbox **ret, struct err *e) MUSTCHECK;
void outbox_close(struct outbox *o);
void outbox_closep(struct outbox **o);

/* Keep a sample (without its runs and timers, which are of the moment). One with
 * the same ts is replaced. Samples past the limits are thinned by the way. */
int outbox_put_sample(struct outbox *o, const struct wire_sample *s, struct err *e) MUSTCHECK;
/* Keep a run as it is now; nothing happens when the same or a higher rev is
 * there. Safe on disk when it returns. */
int outbox_put_run(struct outbox *o, const struct wire_run *r, struct err *e) MUSTCHECK;

/* Samples to send as one list, newest first. */
struct outbox_batch {
	struct buf json;            /* "[{...},{...}]"; of one sample alone: "{...}" */
	struct { LIST_OF(int64_t); } ts;
};
/* At most limit samples and OUTBOX_BATCH_BYTES (one sample at least); ts.n is 0
 * when there is nothing. outbox_batch_done frees, also after a failure. */
int outbox_samples(struct outbox *o, size_t limit, struct outbox_batch *ret, struct err *e) MUSTCHECK;
/* The master has them, or will never take them. */
int outbox_samples_gone(struct outbox *o, const struct outbox_batch *b, struct err *e) MUSTCHECK;
void outbox_batch_done(struct outbox_batch *b);

struct outbox_run {
	char uuid[UUID_TEXT];       /* "" when nothing waits */
	int64_t rev;
	char *json;                 /* freep it */
};
/* The run that came first, of those that may be sent now. */
int outbox_run(struct outbox *o, int64_t now, struct outbox_run *ret, struct err *e) MUSTCHECK;
/* The master has this rev; a newer one written meanwhile stays. */
int outbox_run_gone(struct outbox *o, const char *uuid, int64_t rev, struct err *e) MUSTCHECK;
/* It said no: keep the reason, try again at not_before. */
int outbox_run_refused(struct outbox *o, const struct outbox_run *r, int64_t not_before, const char *why,
		       struct err *e) MUSTCHECK;

/* Samples and runs that wait. */
int outbox_depth(struct outbox *o, int64_t *ret, struct err *e) MUSTCHECK;

#endif
