/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_REPORT_H
#define FELLOE_REPORT_H

#include "noded/config.h"
#include "noded/run/catalogue.h"
#include "shared/err.h"
#include "shared/wire.h"

/* Hand a run to the agent's outbox, which delivers it to the master whenever
 * that can be reached: when it begins (state running, rev 1) and with its end.
 * The catalogue notes which rev was handed over. Without a master nothing
 * happens. */
int report_run(const struct config *c, struct catalogue *catalogue, const struct wire_run *run, struct err *e) MUSTCHECK;

/* Hand over what was not: a disk was full, a process was killed in between, or
 * there was no master yet. All of them, the oldest first. */
int report_rest(const struct config *c, struct catalogue *catalogue, struct err *e) MUSTCHECK;

#endif
