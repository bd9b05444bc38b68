/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_AUDIT_H
#define FELLOE_SVC_AUDIT_H

#include <stdint.h>

#include "masterd/db.h"
#include "masterd/req.h"
#include "masterd/tbl_audit.h"
#include "shared/attr.h"
#include "shared/err.h"

/* The audit trail: one line for each job by which somebody changes something,
 * in the same transaction. */

enum { AUDIT_OBJECT = 257 };

/* Who does it. A job keeps its own copy, for the request may be gone. */
struct actor {
	char name[65];            /* user, "token:NAME", "node 7"; "felloe-masterd" for what it does by itself */
	char peer[64];            /* address, "" none */
	int64_t at;               /* ms */
};
/* Of a request of a person or node. */
struct actor actor_of(const struct req *r);
/* By name (such as "felloe-masterd" or "root (felloe-masterd user)"), without an address. */
struct actor actor_named(const char *name, int64_t at);

/* Inside a job, with its changes:
 *
 *	AUDIT(db, &v->actor, e, "node.approve", audit_node(object, id, name), "tags", tags)
 *
 * The pairs of name and text after the object become the detail (a NULL text
 * leaves its pair out); no secrets. Texts that are too long are cut. */
int audit_note(struct db *db, const struct actor *a, struct err *e, const char *action, const char *object, ...)
	MUSTCHECK __attribute__((sentinel));
#define AUDIT(...) audit_note(__VA_ARGS__, NULL)

/* "node 7 (web-3)" and "user anna"; return text. */
const char *audit_node(char text[static AUDIT_OBJECT], int64_t id, const char *name);
const char *audit_thing(char text[static AUDIT_OBJECT], const char *kind, const char *name);

#endif
