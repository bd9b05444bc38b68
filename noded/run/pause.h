/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_PAUSE_H
#define FELLOE_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "shared/err.h"
#include "shared/list.h"
#include "shared/wire.h"

/* Timers that do nothing for now: systemd fires them as ever, and felloe-noded
 * backup --timer leaves at once. Kept in state/node/paused.json, so that it
 * outlives a restart and a felloe-noded apply. */
struct paused {
	char timer[WIRE_NAME];
	char by[128];          /* "root", "admin of the master" */
	int64_t since;
};
struct paused_list { LIST_OF(struct paused); };

/* A file that cannot be read pauses nothing: a backup too many does no harm. list_done it. */
void pause_list(struct paused_list *ret);
/* The entry of timer. */
bool pause_of(const char *timer, struct paused *ret);
/* Pause timer, NULL for all of c. ERR_NOTFOUND: c has no such timer. */
int pause_set(const struct config *c, const char *timer, const char *by, struct err *e) MUSTCHECK;
/* The end of it, for timer (also one that c has no more) or for all. */
int pause_clear(const char *timer, struct err *e) MUSTCHECK;

#endif
