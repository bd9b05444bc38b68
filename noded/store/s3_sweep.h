/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_STORE_S3_SWEEP_H
#define FELLOE_STORE_S3_SWEEP_H

#include "noded/store/s3_call.h"

/* Abort multipart uploads whose key begins with prefix (or is it, when exact)
 * and that are older than older_than_ms; how many to *swept. */
struct s3_sweep {
	const char *prefix;
	bool exact;
	int64_t older_than_ms;
};
int s3_sweep_uploads(struct s3 *s, const struct s3_sweep *what, unsigned *swept, struct err *e) MUSTCHECK;

#endif
