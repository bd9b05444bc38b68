/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_LINK_H
#define FELLOE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"

/* How the agent stands with its master, for felloe-noded status: the file
 * state/node/link.json, written when it changes. */
enum link_state {
	LINK_UNKNOWN,      /* no agent has said anything yet */
	LINK_CONNECTED,
	LINK_JOINING,      /* a request waits for approval */
	LINK_NOT_JOINED,
	LINK_BLOCKED,      /* 403 */
	LINK_UNKNOWN_KEY,  /* 401: deleted, or the master lost its database */
	LINK_CLONE,        /* 409: another machine uses the same key */
	LINK_TROUBLE,      /* not reached, or it answers with errors */
	LINK_STATES
};
struct link {
	enum link_state state;
	int64_t since;
	char text[ERR_MSG_MAX]; /* "" none */
	char master[256];
};
/* "connected" "joining" "not joined" "blocked" "unknown key" "clone" "trouble", "unknown" */
const char *link_name(enum link_state s);
/* Of an error that talking to the master ended with. */
enum link_state link_of(const struct err *why);
/* Does nothing when state and text are the same as in l; else l and the file
 * change. A file that cannot be written is no reason to stop. */
void link_set(struct link *l, enum link_state state, const char *text, const char *master);
/* What the file says; LINK_UNKNOWN without one. */
void link_read(struct link *ret);
/* Does an agent run here? It holds a lock in its state folder. */
bool link_agent_runs(void);

#endif
