/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TICKET_H
#define FELLOE_TICKET_H

#include <stdatomic.h>
#include <stdbool.h>

/* What a request that answers LATER waits for. Whoever does the work calls
 * ticket_done once, from any thread, even before the request sleeps: only the
 * second of the two to come calls wake. */
struct ticket {
	atomic_int state;
	void (*wake)(struct ticket *t);
};

enum { TICKET_OPEN, TICKET_PARKED, TICKET_DONE };

static inline void ticket_open(struct ticket *t)
{
	atomic_store(&t->state, TICKET_OPEN);
}

/* The work is done: the owner may run on. t may be gone when this returns. */
static inline void ticket_done(struct ticket *t)
{
	if (atomic_exchange(&t->state, TICKET_DONE) == TICKET_PARKED)
		t->wake(t);
}

static inline bool ticket_is_done(struct ticket *t)
{
	return atomic_load(&t->state) == TICKET_DONE;
}

/* The owner sleeps now. False: it was done meanwhile, nobody will call wake. */
static inline bool ticket_park(struct ticket *t)
{
	return atomic_exchange(&t->state, TICKET_PARKED) != TICKET_DONE;
}

#endif
