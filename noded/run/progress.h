/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_PROGRESS_H
#define FELLOE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/run/lock.h"
#include "shared/err.h"
#include "shared/wire.h"

/* How far a run is: a status file for the agent and `status`
 * (run/node/status/UUID.json, replaced at most twice a second), and for whoever
 * started it a bar on a terminal or a line every 30 s. */

struct progress;

/* p is the run's progress; its owner changes it and calls progress_tick. quiet:
 * nothing on stderr. A status file that cannot be written is no reason to fail. */
struct progress *progress_new(struct wire_progress *p, bool quiet);
/* Cheap: looks at the clock and mostly does nothing. */
void progress_tick(struct progress *g);
/* Show a new phase ("dump", "files" ...) at once. item "" none. */
/* The phase "definitions" with "12,345 of 100,000" as its item: no byte of rows moves meanwhile. */
void progress_definitions(struct wire_progress *p, uint64_t done, uint64_t of);
void progress_phase(struct progress *g, const char *phase, const char *item);
/* Tell fn as well, every two seconds and at each phase. */
void progress_follow(struct progress *g, void (*fn)(void *ctx, const struct wire_progress *p), void *ctx);
/* Remove the bar from the terminal, so that a line can be printed. */
void progress_clear(struct progress *g);
/* The run is over: the status file and the bar go. */
/* progress_tick for the progress that this thread has made, if any: for whoever
 * waits (for the network above all) and does not know of it. Threads that help
 * have none, so that the picture is touched by one thread alone. */
void progress_pulse(void);
/* daemon_stopping for waits: a pulse each time it is asked. */
bool progress_stop(void);
void progress_free(struct progress *g);
void progress_freep(struct progress **g);

/* The runs in progress of this node, read from the status files of living
 * processes; *dead: how many more files there are, of processes that are gone.
 * list_done it. */
struct wire_progresses { LIST_OF(struct wire_progress); };
int progress_list(struct wire_progresses *ret, size_t *dead, struct err *e) MUSTCHECK;
/* Remove the status file that a dead run left. */
void progress_forget(const char *uuid);
/* Remove the files of processes that are gone, also of those that died before
 * their run was written down anywhere. */
void progress_sweep(const struct lock_holders *living);

#endif
