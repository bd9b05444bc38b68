/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SYSSTAT_H
#define FELLOE_SYSSTAT_H

#include "shared/wire.h"

/* The state of this machine, read from /proc (proc(5)). Rates and CPU are means
 * since the call before. */

struct sysstat;

/* Reads the counters once, so that the first sample has something to compare with. */
struct sysstat *sysstat_new(void);
void sysstat_free(struct sysstat *s);
void sysstat_freep(struct sysstat **s);
/* Fill ts and everything that can be measured here; what the machine does not
 * tell stays unknown (wire_sample_init). ret is initialised; the caller does
 * wire_sample_done. Network file systems are left out: asking a dead server
 * would hang the agent. */
void sysstat_sample(struct sysstat *s, struct wire_sample *ret);

#endif
