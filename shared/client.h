/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CLIENT_H
#define FELLOE_CLIENT_H

#include <stdbool.h>

#include "shared/err.h"
#include "shared/http.h"
#include "shared/json.h"

/* A JSON exchange with a master, used by node and console: base URL, pin,
 * credentials; problem documents (RFC 9457) become struct err with their hint. */

struct client;
struct client_opts {
	const char *url;       /* "https://master:8443"; /api/v1 is added */
	const char *pin;       /* or NULL */
	const char *ca_file;   /* or NULL */
	const char *user_agent;
};
int client_new(struct client **ret, const struct client_opts *o, struct err *e) MUSTCHECK;
void client_free(struct client *c);
void client_freep(struct client **c);
/* One of the two; NULL takes it away. Copied, wiped at the end. */
void client_set_api_key(struct client *c, const char *key);
void client_set_token(struct client *c, const char *token);
/* One header line more in each request; NULL: none. Copied. */
void client_set_header(struct client *c, const char *line);
/* While an answer is awaited tick is called at least four times a second; true
 * ends the exchange with ERR_ABORTED. For one thread that has other work or must
 * stop in time. NULL: none. */
void client_set_tick(struct client *c, bool (*tick)(void *ctx), void *ctx);

struct client_reply {
	int status;            /* 200, 304 ... */
	struct json *json;     /* NULL when there was no body; even of an error; yours by client_reply_done */
	char etag[128];
	int retry_after_s;
	int64_t date;          /* the master's clock, 0 */
	bool hopeless;         /* set with -1: trying again cannot help (certificate, pin, CA file) */
};
struct client_call {
	const char *method; /* "GET" */
	const char *path;
	const char *body;   /* JSON, or NULL */
	const char *etag;   /* If-None-Match, or NULL */
};
/* path starts with "/nodes/..." under /api/v1, or with "//health" for the root.
 * A status of 400 and up is -1 with the kind of err_from_http and the problem's title, detail and hint;
 * ret->status and retry_after_s are set even then. */
int client_do(struct client *c, const struct client_call *call, struct client_reply *ret, struct err *e) MUSTCHECK;
void client_reply_done(struct client_reply *r);

/* A reply that goes on (GET /events): its body comes in pieces to on_data, from
 * within client_stream_wait and client_do. At most one stream a client. */
struct client_stream_call {
	const char *path;
	const char *accept;        /* "text/event-stream" */
	const char *last_event_id; /* NULL or "": none */
	int (*on_data)(void *ctx, const void *p, size_t n); /* other than 0 ends the stream; must not use the client */
	void *ctx;
};
int client_stream_open(struct client *c, const struct client_stream_call *call, struct err *e) MUSTCHECK;
/* Waits until data came (and on_data had it), fd can be read (-1: none) or
 * timeout_ms have passed: 0; or until the stream has ended: 1, then
 * client_stream_end tells how. -1 failed. */
int client_stream_wait(struct client *c, int timeout_ms, int fd, struct err *e) MUSTCHECK;
/* How it ended, as client_do says it, and forgets it; 0: a status of 2xx and the
 * end of its body. Ends a stream that still goes on without a word, with ERR_ABORTED. */
int client_stream_end(struct client *c, struct client_reply *ret, struct err *e) MUSTCHECK;
void client_stream_close(struct client *c);

#endif
