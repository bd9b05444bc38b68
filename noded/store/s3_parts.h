/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_STORE_S3_PARTS_H
#define FELLOE_STORE_S3_PARTS_H

#include "noded/store/s3_call.h"
#include "shared/buf.h"

/* The parts of one object on their way: the caller fills one, sealed ones wait
 * in memory or in an unlinked spool file, and a thread of its own sends two at a
 * time, each tried again on its own. */

struct s3_parts;

struct s3_parts_opts {
	const char *key;
	uint64_t estimate;    /* of the whole, chooses the size of the parts */
	uint64_t spool_bytes; /* 0: memory only */
};
/* s3 is lent; while the thread runs it belongs to that. */
struct s3_parts *s3_parts_new(struct s3 *s3, const struct s3_parts_opts *o);
/* Ends the thread too. */
void s3_parts_free(struct s3_parts *q);

/* Put bytes into the part that is being filled, up to its end; *used says how
 * many. Waits for room. ERR_LIMIT after part 10,000; the sender's error when it
 * has given up. */
int s3_parts_fill(struct s3_parts *q, const void *bytes, size_t n, size_t *used, struct err *e) MUSTCHECK;
/* The part being filled has no room left. */
bool s3_parts_full(const struct s3_parts *q);
/* Close the part being filled, if there is one, and hand it to the sender. */
void s3_parts_seal(struct s3_parts *q);
/* Start to send sealed parts; upload_id is lent. */
int s3_parts_send(struct s3_parts *q, const char *upload_id, struct err *e) MUSTCHECK;
/* Wait until all sealed parts are there; the thread is gone then. */
int s3_parts_drain(struct s3_parts *q, struct err *e) MUSTCHECK;
/* Drop all that is under way; the thread is gone then. */
void s3_parts_cancel(struct s3_parts *q);
/* Instead of sending parts: the body of the only one, nothing when there is none. */
void s3_parts_only(struct s3_parts *q, struct s3_call *c);
/* The list that CompleteMultipartUpload wants (after s3_parts_drain). */
void s3_parts_list(const struct s3_parts *q, struct buf *b);

#endif
