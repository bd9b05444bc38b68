/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_STORE_SIGV4_H
#define FELLOE_STORE_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"

/* Signature Version 4 for S3, in the Authorization header (S3 API reference,
 * "Authenticating Requests"). Own lines, because what libcurl signs differs
 * from release to release. */

struct sigv4; /* credentials and the signing key of the day */

struct sigv4_keys {
	const char *access_key, *secret_key;
	const char *token;  /* of a session, NULL without */
	const char *region;
};
struct sigv4 *sigv4_new(const struct sigv4_keys *keys); /* copies, wiped by sigv4_free */
void sigv4_free(struct sigv4 *s);

struct sigv4_pair {
	const char *name, *value;
};
enum { SIGV4_PAIRS = 8 };

struct sigv4_request {
	const char *method;
	const char *host;            /* as the Host header will say it: without a default port */
	const char *path;            /* not encoded, begins with "/" */
	struct sigv4_pair query[SIGV4_PAIRS];   /* not encoded, in any order, up to a NULL name */
	struct sigv4_pair headers[SIGV4_PAIRS]; /* lower-case names; host and x-amz-{date,content-sha256,security-token}
						 * are added */
	const char *payload_sha256;  /* hex */
	int64_t at_ms;               /* the time to sign with */
};

struct sigv4_signed {
	char *target;                /* "/encoded/path?encoded=query", to be sent exactly so */
	char *headers[SIGV4_PAIRS + 5]; /* "name: value" for http_call, NULL-ended, Authorization among them */
};
void sigv4_sign(struct sigv4 *s, const struct sigv4_request *r, struct sigv4_signed *ret);
void sigv4_signed_done(struct sigv4_signed *s);

#endif
