/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_HTTP_H
#define FELLOE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"

/* HTTP client: the file that knows libcurl. One struct http is one connection
 * cache and set of running requests (curl multi), used by one thread; only
 * http_wake may come from another. */

struct http;
struct http_req; /* a running request */

struct http_opts {
	const char *ca_file;    /* NULL: the system's */
	const char *pin;        /* "sha256//BASE64" of the public key: then no CA is asked */
	const char *proxy;      /* NULL: the environment's, never for loopback */
	const char *user_agent;
	unsigned connect_timeout_s; /* 0: 10 */
	unsigned stall_s;       /* give up when less than 1 KB/s moves for so long; 0: 60 */
};

struct http_call {
	const char *method;     /* "GET" */
	const char *url;        /* sent as it is (CURLOPT_PATH_AS_IS) */
	const char *const *headers; /* "Name: value", NULL-ended; sent exactly, nothing is added
				     * but Host, User-Agent and Content-Length */
	const void *body;       /* lent until done; NULL without body */
	size_t body_len;
	int body_fd;            /* body from this file instead, when body_from_fd */
	uint64_t body_offset;
	bool body_from_fd;
	bool has_body;          /* send Content-Length even when body_len is 0 */
	size_t max_reply;       /* cap of the reply body; 0: 1 MiB */
	uint64_t max_send_rate; /* bytes a second; 0: no limit */
	unsigned timeout_s;     /* of the whole exchange; 0: none but stall_s */
	unsigned stall_s;       /* 0: that of http_opts */
	/* Reply body in pieces instead of into reply.body (only for status 2xx, or
	 * for only_status alone); a return other than 0 ends the transfer. */
	int only_status;
	int (*on_data)(void *ctx, const void *p, size_t n);
	void *ctx;
	/* A reply that is meant to go on, a little now and then (server-sent events):
	 * never stalled, and http_wait returns 0 as soon as on_data took something. */
	bool stream;
};

struct http_reply {
	int status;             /* 0: no answer at all, see e */
	struct buf body;
	char etag[128];
	char date[64];          /* Date header as it came, "" */
	char content_type[96];
	char request_id[96];    /* x-amz-request-id or x-request-id */
	char peer_pin[64];      /* "sha256//..." of the certificate seen, when asked for by http_peer */
	uint64_t content_length; /* what a HEAD announced; UINT64_MAX unknown */
	int retry_after_s;      /* 0: none */
	char bucket_region[40]; /* x-amz-bucket-region */
	bool hopeless;          /* set with -1: trying again cannot help (certificate, pin, CA file, URL) */
};

int http_new(struct http **ret, const struct http_opts *o, struct err *e) MUSTCHECK;
void http_free(struct http *h);
void http_freep(struct http **h);

/* One exchange, waits for the end. 0 when the server answered, with any status
 * (redirects are not followed); -1 with ERR_NET (the text names host:port and
 * says DNS, connect refused, time-out or TLS apart), ERR_LIMIT (reply over
 * max_reply), ERR_ABORTED (on_data ended it) or ERR_INVALID (the call itself);
 * then of *ret only hopeless has a meaning. http_reply_done frees. Texts never
 * hold a header's value. */
int http_do(struct http *h, const struct http_call *c, struct http_reply *ret, struct err *e) MUSTCHECK;
void http_reply_done(struct http_reply *r);

/* Side by side: start as many as wanted, then wait for one to end. */
int http_start(struct http *h, const struct http_call *c, struct http_req **ret, struct err *e) MUSTCHECK;
/* Move data; returns 1 and a finished request, whose outcome http_end gives, or
 * 0 when timeout_ms passed or http_wake came, -1 failed. */
int http_wait(struct http *h, int timeout_ms, struct http_req **ret, struct err *e) MUSTCHECK;
/* The outcome, as http_do gives it; the request is gone then. */
int http_end(struct http *h, struct http_req *r, struct http_reply *ret, struct err *e) MUSTCHECK;
void http_cancel(struct http *h, struct http_req *r);
void http_wake(struct http *h); /* any thread */
/* From now on http_wait returns 0 also when fd (lent) can be read; -1: none. */
void http_watch(struct http *h, int fd);
/* The public key pin of an https server, whatever its certificate is worth:
 * for showing it before it is trusted. */
int http_peer_pin(const char *url, char pin[static 64], struct err *e) MUSTCHECK;

#endif
