/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_LIVE_H
#define FELLOE_TUI_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/client.h"
#include "shared/json.h"
#include "shared/list.h"
#include "tui/change.h"
#include "tui/sse.h"

/* The master's stream of events (GET /events), as the network thread follows
 * it: opened, kept, closed when it is silent, tried again with back-off. What
 * comes waits in a queue, since nothing may use the client from within it. */

enum live_state {
	LIVE_OFF,     /* not open; tried again at retry_at */
	LIVE_OPENING, /* nothing came yet */
	LIVE_ON,
};
enum live_kind { LIVE_CHANGE, LIVE_RUNS, LIVE_SAMPLE, LIVE_ALERTS, LIVE_RESET };
struct live_event {
	enum live_kind kind;
	struct change *change; /* LIVE_CHANGE */
	struct json *json;     /* LIVE_RUNS, LIVE_SAMPLE: the frame */
};

struct live {
	enum live_state state;
	uint64_t node;     /* whose samples the open stream has; 0 none */
	bool synced;       /* what came until now joins on to the lists that were read */
	int64_t opened;    /* monotonic */
	int64_t heard;     /* monotonic, of the last byte */
	int64_t retry_at;  /* monotonic */
	unsigned tries;    /* failed ones in a row */
	bool denied;       /* the last try was refused for its token */
	struct sse sse;
	bool garbled;      /* an event could not be read: frames are missing */
	struct {
		LIST_OF(struct live_event);
	} queue;
	size_t first;      /* of queue: not taken yet */
};

void live_init(struct live *l);
void live_done(struct live *l);
/* Opens the stream (again), going on where the last one ended. Does not wait. */
void live_open(struct live *l, struct client *c, uint64_t node);
/* Closes it; where it was is remembered. */
void live_close(struct live *l, struct client *c);
/* As live_close, but the next stream begins anew: another master or user. */
void live_forget(struct live *l, struct client *c);
/* Waits for events, for fd to be readable, at most timeout_ms. False: the stream
 * has ended (state is LIVE_OFF, retry_at and denied say what next). */
bool live_wait(struct live *l, struct client *c, int timeout_ms, int fd);
/* The next event; false when there is none. live_event_done when read. */
bool live_next(struct live *l, struct live_event *ret);
void live_event_done(struct live_event *ev);

#endif
