/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_NOTIFY_H
#define FELLOE_NOTIFY_H

#include "noded/config.h"
#include "shared/err.h"
#include "shared/wire.h"

/* Tell people, from the node itself, so that it works with the master away:
 * ping_url is fetched after a good run (a dead man's switch elsewhere notices
 * when that stops); webhook gets the run as JSON and command gets it on stdin
 * when a run failed, was aborted or is suspect. */

/* What could not be told is said by note and is no failure of the run. note may be NULL. */
void notify_run(const struct config *c, const struct wire_run *run, void (*note)(void *ctx, const char *text), void *ctx);

#endif
