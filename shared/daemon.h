/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DAEMON_H
#define FELLOE_DAEMON_H

#include <signal.h>
#include <stdbool.h>

#include "shared/attr.h"
#include "shared/err.h"

/* What a foreground daemon and a long-running verb share. */

/* sd_notify(3) without libsystemd: "READY=1", "STATUS=...", "STOPPING=1". No
 * NOTIFY_SOCKET: nothing happens. Never fails for the caller. */
void daemon_notify(const char *state);
/* SIGTERM, SIGINT set the flag (no SA_RESTART), SIGPIPE is ignored; SIGHUP sets
 * the other. Call before any thread starts. */
void daemon_signals(void);
bool daemon_stopping(void);
/* The flag behind it, for code below this room. */
const volatile sig_atomic_t *daemon_stop_flag(void);
bool daemon_take_hup(void);            /* true once per SIGHUP */
/* Readable when a signal came: for poll(2). */
int daemon_wake_fd(void);
/* Empty the pipe behind daemon_wake_fd. */
void daemon_drain_wake(void);
/* For a daemon that mostly sleeps: give free heap back, and unmap the code and
 * constants that only starting up or something rare needed. What is used again
 * comes back by itself from the page cache. Costs well under a millisecond. */
void daemon_trim(void);
/* Become user for good (setgroups, setgid, setuid); no-op unless root. */
int daemon_drop(const char *user, struct err *e) MUSTCHECK;

#endif
