/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_JOIN_H
#define FELLOE_JOIN_H

#include <stdbool.h>

#include "noded/config.h"
#include "shared/err.h"
#include "shared/wire.h"

/* Asking a master to take this node (docs/api.md, Pairing). The request is kept in
 * state/node/join.json (0600) until it is decided, so that a verb or an agent that
 * is started again goes on with the same request and the same code. */

struct join;
enum { JOIN_TOKEN_MAX = 256 };

struct join_opts {
	const struct config *config;  /* master.url, pin, key file; facts of this node */
	const char *name;             /* NULL: config's server_id */
	const char *token;            /* of the master, under JOIN_TOKEN_MAX bytes; NULL: that of the pending request, if any */
	bool (*tick)(void *ctx);      /* see client_set_tick; may be NULL */
	void *ctx;
};
enum join_state { JOIN_PENDING, JOIN_ACTIVE, JOIN_BLOCKED, JOIN_EXPIRED };

/* True when a request to this config's master is pending here. */
bool join_pending(const struct config *c);
/* Read the pending request, or make one, and bring it to the point where the code
 * is known: X25519 pair, commitment, request, reveal. ERR_NET: the master cannot
 * be reached, call again later, nothing is lost. ERR_FORBIDDEN: this machine
 * is blocked, or the token is worth nothing. */
int join_open(struct join **ret, const struct join_opts *o, struct err *e) MUSTCHECK;
void join_free(struct join *j);
void join_freep(struct join **j);
/* "KELP-4821", to be compared with the one on the administrator's screen. */
const char *join_code(const struct join *j);
/* Ask what became of it; the master may keep the answer for wait_s (0 to 25). On
 * JOIN_ACTIVE the key is saved (0600) and the request forgotten; on BLOCKED and
 * EXPIRED it is forgotten and why (WIRE_TEXT bytes) says what to do. */
int join_ask(struct join *j, unsigned wait_s, enum join_state *ret, char why[static WIRE_TEXT], struct err *e) MUSTCHECK;

#endif
