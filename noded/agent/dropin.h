/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DROPIN_H
#define FELLOE_DROPIN_H

#include "noded/config.h"
#include "shared/buf.h"
#include "shared/err.h"

/* The drop-ins that make the templates felloe-backup@.timer and .service fit one
 * timer of config.json: DIR/felloe-backup@NAME.timer.d/10-felloe.conf. */

/* Write both files of a timer under dir. *changed: something is not as it was. */
int dropin_write(const char *dir, const struct config *c, const struct timer *t, const char *state, bool *changed,
		 bool *open, struct err *e) MUSTCHECK;
/* The drop-in of the agent, felloe-noded.service: moved paths, and folders of dir
 * storages, from which it removes what a killed run left. */
int dropin_write_agent(const char *dir, const struct config *c, const char *state, bool *changed, struct err *e) MUSTCHECK;
/* Timers that have our drop-in under dir but are not in c any more; freep each, list_done. */
int dropin_stale(const char *dir, const struct config *c, struct strings *ret, struct err *e) MUSTCHECK;
/* Remove the files of a timer, and the folders when nothing else is in them. */
int dropin_remove(const char *dir, const char *name, struct err *e) MUSTCHECK;

#endif
