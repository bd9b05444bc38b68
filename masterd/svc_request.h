/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_REQUEST_H
#define FELLOE_SVC_REQUEST_H

#include "masterd/master.h"
#include "masterd/svc_audit.h"
#include "masterd/tbl_request.h"
#include "masterd/writer.h"

/* Asking nodes to do something: rules inside the writer, one after the other.
 * What waits for a node lies in live, ready for the answer to its report. */

enum { REQUESTS_WAITING_MAX = 20 };
/* Kept so long after their end. */
#define REQUEST_KEPT_MS (INT64_C(30) * 24 * 3600 * 1000)

struct asking {
	struct job job;          /* first */
	struct master *m;
	int64_t now;
	struct actor actor;
	struct request request;  /* in: what is asked; out: what stands */
	char *orders;            /* what waits for the node afterwards */
};
/* Frees what it owns. */
void asking_free(void *asking);

/* request: node_id, verb, args, created_by, expires. ERR_CONFLICT: the node is not active; ERR_BUSY: too many wait. */
int request_add(struct asking *v, struct err *e) MUSTCHECK;
/* request: node_id, rid. ERR_CONFLICT: the node has taken it. */
int request_withdraw(struct asking *v, struct err *e) MUSTCHECK;
/* The node says what became of it. request: node_id, rid, state, reason, run.
 * ERR_CONFLICT: it was withdrawn or has expired, and must not be carried out. An
 * older state than the one that stands changes nothing. */
int request_tell(struct asking *v, struct err *e) MUSTCHECK;

/* At the start: what waits for all nodes. */
int request_load(struct master *m, struct err *e) MUSTCHECK;
/* From time to time: those that no node took in time. Nobody waits. */
void request_expire(struct master *m, int64_t now);
/* Another master changed requests of the node: read what waits now. */
int request_reload(struct master *m, struct db *db, int64_t node_id, struct err *e) MUSTCHECK;

#endif
