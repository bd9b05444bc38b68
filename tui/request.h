/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_REQUEST_H
#define FELLOE_TUI_REQUEST_H

#include "shared/hash.h"
#include "tui/app.h"

/* Asking a node to do something (docs/api.md, Requests to nodes), and what became
 * of it: the master only passes the question on with the node's next report, and
 * the node's own configuration decides. */

enum request_verb { ASK_BACKUP, ASK_VERIFY, ASK_PAUSE, ASK_RESUME, ASK_STOP };
struct request {
	enum request_verb verb;
	char what[64];       /* timer or run that it is about; "" all */
	uint64_t node;
	char id[UUID_TEXT];  /* "": none is followed */
	char state[16];      /* as it was told last */
	int64_t looked;      /* monotonic; when the state was asked for last */
	bool out;            /* and not answered yet */
};

/* A question first; request_confirmed sends it. what may be NULL. */
void request_ask(struct request *q, struct app *a, enum request_verb verb, const char *what);
void request_confirmed(struct request *q, struct app *a, const struct dialog *d);
/* Says each new state, for answers of the tags TAG_REQUEST and TAG_REQUEST_STATE. */
void request_answer(struct request *q, struct app *a, const struct net_answer *ans);
/* Asks for the state now and then until it is over. */
void request_tick(struct request *q, struct app *a);

#endif
