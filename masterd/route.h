/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_ROUTE_H
#define FELLOE_ROUTE_H

#include <stddef.h>

#include "masterd/req.h"

/* The table of all that the master answers. Paths begin with /api/v1 unless
 * root is set; "{id}" stands for one segment. */
struct route {
	const char *method;
	const char *path;
	bool root;
	/* the least that may: ROLE_NODE means a node's key and nothing else; what lies at
	 * the root also answers whoever is on this machine */
	enum role role;
	req_fn *handler;
	const char *summary;
};

/* All rows, in the order of the documentation. */
const struct route *route_table(size_t *n);
/* Find the row, check who asks, run its handler. Fills r->arg and r->who;
 * answers 401, 403, 404 and 405 itself. A last "/" of the path is ignored. */
enum verdict route_run(struct req *r, const char *method, const char *path);
/* What LATER waited for has come: the next step, r->then. */
enum verdict route_go_on(struct req *r);
/* The reply is about to go: count it, log it. */
void route_ended(struct req *r, int status);

#endif
