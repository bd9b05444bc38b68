/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_REQUEST_H
#define FELLOE_TBL_REQUEST_H

#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/hash.h"
#include "shared/json.h"

/* What people ask nodes to do. A node fetches it with its next report, and obeys
 * only what its own configuration allows. */
enum request_state {
	REQUEST_PENDING,   /* the node has not taken it */
	REQUEST_ACCEPTED,
	REQUEST_RUNNING,
	REQUEST_REFUSED,   /* from here on nothing changes any more */
	REQUEST_DONE,
	REQUEST_FAILED,
	REQUEST_WITHDRAWN,
	REQUEST_EXPIRED,
	REQUEST_STATES
};
const char *request_state_name(enum request_state s);
int request_state_from(enum request_state *ret, const char *name) MUSTCHECK;

enum { REQUEST_VERB = 17, REQUEST_REASON = 513 };
struct request {
	char rid[UUID_TEXT];
	int64_t node_id;
	char verb[REQUEST_VERB];
	char *args;               /* JSON object */
	enum request_state state;
	char reason[REQUEST_REASON], run[UUID_TEXT]; /* "" none */
	char created_by[65];
	int64_t created, expires, changed;
	int64_t seq;              /* order; given */
};
void request_done(struct request *q);

/* A new row; q->seq is given by the database. */
int tbl_request_add(struct db *db, const struct request *q, struct err *e) MUSTCHECK;
/* State, reason, run, changed. */
int tbl_request_put(struct db *db, const struct request *q, struct err *e) MUSTCHECK;
/* Of this node; ERR_NOTFOUND. */
int tbl_request_get(struct db *db, int64_t node_id, const char *rid, struct request *ret, struct err *e) MUSTCHECK;
/* The oldest pending one that has expired; ERR_NOTFOUND. */
int tbl_request_overdue(struct db *db, int64_t now, struct request *ret, struct err *e) MUSTCHECK;

typedef int request_each(void *ctx, const struct request *q); /* returns non-zero to stop */
/* Newest first, below the number before (0: all), at most max. */
int tbl_request_list(struct db *db, int64_t node_id, int64_t before, int64_t max, request_each *each, void *ctx,
		     struct err *e) MUSTCHECK;
/* The pending ones of a node, of all nodes when it is 0; by node, oldest first. */
int tbl_request_pending(struct db *db, int64_t node_id, request_each *each, void *ctx, struct err *e) MUSTCHECK;
/* Forget those that changed last before. */
int tbl_request_forget(struct db *db, int64_t before, struct err *e) MUSTCHECK;

/* For people: all of it. */
void request_put(struct json_out *o, const struct request *q);
/* The pending ones of a node as a JSON array for it: id, verb, who asked, until when, and the members of args; yours. */
int request_orders(struct db *db, int64_t node_id, char **ret, struct err *e) MUSTCHECK;

#endif
