/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_AGENT_H
#define FELLOE_AGENT_H

#include "noded/config.h"
#include "shared/err.h"

/* The daemon of a node: a sample every heartbeat_s into the outbox and, when the
 * master can be reached, on to it; runs and older samples behind. One thread.
 * The configuration file is read again when it changes. Returns 0 when a signal
 * ended it. *c is taken over (and replaced). */
int agent_run(struct config **c, struct err *e) MUSTCHECK;

#endif
