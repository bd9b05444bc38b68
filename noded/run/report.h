/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_REPORT_H
#define FELLOE_REPORT_H

#include "noded/config.h"
#include "shared/err.h"
#include "shared/wire.h"

/* Hand a run to the agent's outbox, which delivers it to the master whenever
 * that can be reached. Without a master nothing happens. */
int report_run(const struct config *c, const struct wire_run *run, struct err *e) MUSTCHECK;

#endif
