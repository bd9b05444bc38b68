/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_JOBS_H
#define FELLOE_JOBS_H

#include "masterd/master.h"

/* What the master does by itself, from time to time, on the main thread: one
 * table (jobs.c). No row may block: writing goes through the writer, sending
 * through threads of its own. */
struct jobs;
struct jobs *jobs_new(void);
void jobs_free(struct jobs *j);
/* Run what is due; call it several times a second. */
void jobs_tick(struct jobs *j, struct master *m);

#endif
