/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_REQ_H
#define FELLOE_REQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "masterd/auth.h"
#include "masterd/ticket.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/json.h"

/* A request and its reply, without a word about the HTTP library. A handler
 * reads the request, fills the reply and returns REPLY; or it starts work that
 * ends with ticket_done(&r->ticket), sets then, and returns LATER: then runs on
 * an HTTP thread once the ticket is done, and may itself return LATER. Or it sets
 * stream and returns STREAM: a reply without an end of its own (events). */

struct master;
struct route;
struct once_call;
struct req;
enum verdict { REPLY, LATER, STREAM };
typedef enum verdict req_fn(struct req *r);

enum { BODY_MAX = 256 * 1024, REPLY_MAX = 8 * 1024 * 1024, ARG_MAX_LEN = 128 };

enum req_where { REQ_QUERY, REQ_HEADER };

struct req {
	struct master *m;
	const char *body;         /* ended by NUL; "" without one */
	size_t body_len;
	char peer[64];            /* address of who asks, as a number; behind our proxy: what that says */
	bool forwarded;           /* came through somebody: never from this machine, whatever peer is */
	char request_id[64];      /* what the client calls this request (X-Request-Id), cleaned; "" */
	char arg[ARG_MAX_LEN];    /* what stood for {id} in the path, "" */
	char arg2[ARG_MAX_LEN];   /* and for a second one */
	struct who who;
	int64_t now;              /* ms, when it came */
	int64_t began_us;         /* monotonic */
	const struct route *route; /* NULL: nothing is there */
	/* Value of a query parameter or header, NULL; lives as long as the request. */
	const char *(*lookup)(const struct req *r, enum req_where where, const char *name);

	int status;
	bool problem;             /* the reply is a problem document */
	struct buf out;
	struct json_out json;
	char etag[48];            /* "" none; with its quotes */
	char allow[64];           /* of a 405 */
	unsigned retry_after_s;   /* 0 none */
	const char *hint;         /* the way out, for the problem that is about to be the reply; NULL none */
	const char *content_type; /* NULL: JSON */
	/* STREAM, on an HTTP thread: up to max bytes; 0 none now, and ticket will be
	 * done when there are; -1 the end. */
	long (*stream)(struct req *r, char *p, size_t max);

	struct once_call *once;   /* of an Idempotency-Key; NULL */
	bool replayed;            /* the reply is that of the first request with the key */

	req_fn *then;
	struct ticket ticket;
	bool soon;                /* LATER is a change that the writer makes in a moment (writer_soon) */
	void *state;              /* the handler's own */
	void (*state_free)(void *state);
};

/* Begin a JSON reply: write it into the returned writer. */
struct json_out *reply_json(struct req *r, int status);
/* An RFC 9457 problem from an error: its kind gives the status. Always REPLY. Here and below r->hint, or else
 * retry_after_s, is what the problem says of the way out. */
enum verdict reply_err(struct req *r, const struct err *e);
/* The same with a status and a text of our own. */
enum verdict reply_problem(struct req *r, int status, const char *fmt, ...) PRINTF(3, 4);
/* The same with a member of this name that is true, for programs. */
enum verdict reply_problem_with(struct req *r, int status, const char *member, const char *fmt, ...) PRINTF(4, 5);
/* 422 with errors[]: {path, message}. */
enum verdict reply_problems(struct req *r, const struct problems *p);
/* 503 and 429 with Retry-After. */
enum verdict reply_busy(struct req *r, int status, unsigned seconds, const char *fmt, ...) PRINTF(4, 5);
/* Set the ETag "tag"; true when the client has it already: then the reply is 304. */
bool reply_unchanged(struct req *r, const char *tag);

/* The body as a JSON object; false when a 400 or 422 was set as the reply. */
bool req_json(struct req *r, struct json **ret);
/* Query parameters; an absent one leaves *ret. False: a 422 was set. */
bool req_query_int(struct req *r, const char *name, int64_t min, int64_t max, int64_t *ret);
bool req_query_time(struct req *r, const char *name, int64_t *ret);
/* Comes from this machine, and through nobody. */
bool req_is_local(const struct req *r);
const char *req_query(const struct req *r, const char *name);
const char *req_header(const struct req *r, const char *name);
/* The number in {id}; false: a 404 was set. Of nodes use api_node_id (api.h). */
bool req_id(struct req *r, int64_t *ret);

#endif
