/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_WAIT_H
#define FELLOE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/ticket.h"

/* Requests that sleep until something named by a key happens or their time is
 * over (long polls). Any thread. */
struct waits;

struct wait {
	struct wait *prev, *next;
	bool linked;
	const char *key;         /* lent while linked */
	int64_t deadline;        /* monotonic ms */
	struct ticket *ticket;
};

struct waits *waits_new(void);
/* Wakes all. */
void waits_free(struct waits *w);
/* Enter e first, then look whether it happened already: nothing is missed. */
void waits_add(struct waits *w, struct wait *e);
/* Take e out. False: it was woken already, its ticket is (being) done. */
bool waits_remove(struct waits *w, struct wait *e);
void waits_wake(struct waits *w, const char *key);
/* Wake what is over. */
void waits_tick(struct waits *w, int64_t mono_now);
/* Wake all, and all that come later, at once: shut-down. */
void waits_end(struct waits *w);

#endif
