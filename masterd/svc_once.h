/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_ONCE_H
#define FELLOE_SVC_ONCE_H

#include "masterd/master.h"
#include "masterd/req.h"

/* Idempotency-Key: a change that a person or token asks for twice under the same
 * key is made once, whichever master is asked, and answered twice the same. Kept
 * for 24 h and the newest 1,000 of each. The answer is stored sealed (vault.h):
 * it may hold a token that is shown once. One that failed by no fault of the
 * request (429, 5xx) is forgotten, so that it can be tried again; so is, after
 * two minutes, one whose master died over it. */
enum { ONCE_KEPT = 1000, ONCE_STALE_MS = 120000 };
#define ONCE_MS (INT64_C(24) * 3600 * 1000)

/* Instead of handler, for a request with this key; what: method and path. */
enum verdict once_run(struct req *r, const char *key, const char *what, req_fn *handler);
/* The handler of r has filled its reply: keep it first. LATER, or REPLY when r has no key. */
enum verdict once_keep(struct req *r);
void once_free(struct once_call *c);
/* Now and then: forget what is older than a day. */
void once_expire(struct master *m, int64_t now);

#endif
