/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_STORE_S3_CALL_H
#define FELLOE_STORE_S3_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "noded/store/sigv4.h"
#include "noded/store/xml.h"
#include "shared/err.h"
#include "shared/hash.h"
#include "shared/http.h"

/* One signed exchange with an S3 server, what its answer means, and when to try
 * again: all operations go through here. */

enum { S3_TRIES = 8, S3_PAIRS = SIGV4_PAIRS };

struct s3 {
	struct http *http;
	struct sigv4 *signer;
	char *origin;        /* "https://host[:port]", with the bucket in front of host in virtual-host style */
	char *host;          /* for the Host header and for messages */
	char *bucket, *region, *storage_class;
	char *ca_file, *proxy;  /* of http */
	char *access_key, *secret_key, *token; /* for s3_clone; wiped */
	bool path_style;
	int64_t skew_ms;     /* the server's clock minus ours, once it complained */
	unsigned tries;      /* at most, of one call */
	unsigned retry_ms;   /* first step of the back-off */
	uint64_t max_rate;   /* bytes a second for uploads, 0 none */
	bool (*stop)(void);  /* may be NULL */
	bool busy;           /* inside of a read that is giving data on */
	struct s3 *inner;    /* for calls from there; NULL until needed */
};

int s3_new(struct s3 **ret, const struct storage *cfg, bool patient, struct err *e) MUSTCHECK;
/* The same storage with connections of its own, for another thread. */
int s3_clone(struct s3 **ret, const struct s3 *from, struct err *e) MUSTCHECK;
void s3_free(struct s3 *s);
/* s, or while that is busy one with connections of its own; lent. */
int s3_idle(struct s3 **ret, struct s3 *s, struct err *e) MUSTCHECK;

struct s3_call {
	const char *what;    /* for messages: "write" */
	const char *method;
	const char *key;     /* NULL: the bucket itself */
	struct sigv4_pair query[S3_PAIRS], headers[S3_PAIRS]; /* up to a NULL name */
	const void *body;
	size_t body_len;
	int body_fd;         /* instead of body, when body_from_fd */
	uint64_t body_offset;
	bool body_from_fd, has_body;
	const char *sha256;  /* of the body; NULL: computed here (body in memory) */
	size_t max_reply;
	unsigned stall_s;
	int only_status;     /* for on_data */
	int (*on_data)(void *ctx, const void *p, size_t n);
	void *ctx;
};

struct s3_answer {
	struct http_reply http;
	struct xml_reply xml; /* of an error, and of a success with an XML body */
};
void s3_answer_done(struct s3_answer *a);

enum s3_verdict {
	S3_OK,
	S3_AGAIN,  /* after a pause (s3_pause) */
	S3_NOW,    /* at once: the clock offset is known now */
	S3_FAILED, /* for good */
};

/* Sign and start a request. */
int s3_start(struct s3 *s, const struct s3_call *c, struct http_req **ret, struct err *e) MUSTCHECK;
/* The end of a request: verdict, answer (s3_answer_done it always), and in e
 * the message for any verdict but S3_OK. */
enum s3_verdict s3_end(struct s3 *s, const struct s3_call *c, struct http_req *r, struct s3_answer *a, struct err *e);
/* Start, wait, end; once. */
enum s3_verdict s3_once(struct s3 *s, const struct s3_call *c, struct s3_answer *a, struct err *e);
/* The same with retries. Always s3_answer_done it. Kinds as in store.h. */
int s3_do(struct s3 *s, const struct s3_call *c, struct s3_answer *a, struct err *e) MUSTCHECK;
/* Full jitter: a random part of min(60 s, retry_ms x 2^tried); at least what
 * the server asked for (60 s at most). */
unsigned s3_backoff_ms(const struct s3 *s, unsigned tried, int retry_after_s);
/* Sleep so long; -1 ERR_ABORTED when stop says so. */
int s3_pause(const struct s3 *s, unsigned ms, struct err *e) MUSTCHECK;
/* Size of an object. */
int s3_head(struct s3 *s, const char *key, uint64_t *size, struct err *e) MUSTCHECK;
/* A missing object is no error. */
int s3_remove(struct s3 *s, const char *key, struct err *e) MUSTCHECK;

#endif
