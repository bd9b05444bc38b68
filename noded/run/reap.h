/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_REAP_H
#define FELLOE_REAP_H

#include "noded/config.h"
#include "noded/run/catalogue.h"
#include "shared/err.h"

/* Runs whose process is gone without an end (kill -9, power cut): they become
 * "aborted", and what they left on storages is removed. Called by whoever comes
 * first: the next run, status, the agent at its start. A storage that is away
 * keeps its remains until it answers again; say (may be NULL) hears about each step.
 * Runs that the outbox does not know yet, these and others, are handed to it. */

struct reaped {
	unsigned runs;      /* set to aborted now */
	unsigned uploads;   /* removed */
	unsigned left;      /* could not be removed yet */
};
int reap(const struct config *c, struct catalogue *catalogue, void (*say)(void *ctx, const char *text), void *ctx,
	 struct reaped *ret, struct err *e) MUSTCHECK;

#endif
