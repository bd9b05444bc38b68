/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_NODE_H
#define FELLOE_SVC_NODE_H

#include "masterd/svc_enrol.h"

/* What admins do to a node after it has joined: rules like those of svc_enrol.h. */

/* A deleted node is kept so long, then it goes with its history. */
#define NODE_KEPT_MS (INT64_C(30) * 24 * 3600 * 1000)

/* node.id, by, actor, scope; name, tags, note: NULL and "" leave what is there. */
int node_change(struct enrol *v, struct err *e) MUSTCHECK;
/* Its key is refused at once, its name is free; one that waits for approval is gone. */
int node_delete(struct enrol *v, struct err *e) MUSTCHECK;
/* A new key, sealed for the node, goes out with the answer to its next report.
 * The old one is good until the new one is used. While one waits, nothing
 * changes. ERR_CONFLICT: nothing can be sealed for this node. */
int node_rotate(struct enrol *v, struct err *e) MUSTCHECK;

/* The key was used for the first time: what was kept until then is dropped. Nobody waits. */
void node_key_used(struct master *m, int64_t node_id, const char *key);
/* Two machines use its key (live_origin found out): kept until an admin has
 * decided, by a new key or an adoption. Nobody waits. */
void node_cloned(struct master *m, int64_t node_id);
/* Another machine than before reports with its key: tell the other masters, of
 * which each may only hear one of two. Nobody waits. */
void node_seen(struct master *m, int64_t node_id, const struct live_origin *from);
/* From the ref of such an event. */
void node_seen_from(struct live_origin *ret, const char *ref);
/* From time to time: nodes deleted long ago, and their history. Nobody waits. */
void node_purge(struct master *m, int64_t now);

#endif
