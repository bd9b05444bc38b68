/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TIMERS_H
#define FELLOE_TIMERS_H

#include <stdbool.h>

#include "noded/config.h"
#include "shared/err.h"
#include "shared/wire.h"

/* The systemd timers felloe-backup@NAME.timer: the file that knows sd-bus
 * (org.freedesktop.systemd1(5)). Not thread-safe. */

struct timers;

/* Connect to the system manager. ERR_NOTFOUND "not available: ..." when this
 * program was built without libsystemd, there is no bus, or no systemd. */
int timers_open(struct timers **ret, struct err *e) MUSTCHECK;
void timers_close(struct timers *t);
void timers_closep(struct timers **t);

struct wire_timers { LIST_OF(struct wire_timer); };
/* All timers of config (those that systemd does not know come as neither enabled
 * nor active) and those that systemd has without config. list_done it. */
int timers_list(struct timers *t, const struct config *c, struct wire_timers *ret, struct err *e) MUSTCHECK;

/* daemon-reload: read unit files again. */
int timers_reload(struct timers *t, struct err *e) MUSTCHECK;
/* enable and (re)start the timer, so that a new calendar counts; waits until it is active. */
int timers_enable(struct timers *t, const char *name, struct err *e) MUSTCHECK;
/* The same for felloe-noded.service, the agent; one that runs goes on unless restart is set. */
int timers_enable_agent(struct timers *t, bool restart, struct err *e) MUSTCHECK;
/* Start felloe-request@ID.service, which carries out a request of the master; does not wait for its end. */
int timers_start_request(struct timers *t, const char *id, struct err *e) MUSTCHECK;
/* stop and disable; one that is not there is fine. */
int timers_disable(struct timers *t, const char *name, struct err *e) MUSTCHECK;

#endif
