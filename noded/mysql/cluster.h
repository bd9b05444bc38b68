/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_CLUSTER_H
#define FELLOE_MYSQL_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/json.h"

/* A server that is a node of a Galera cluster (MariaDB, Percona XtraDB Cluster). */

struct conn;
struct cluster {
	bool there;              /* all else is empty when it is not */
	char name[64], node[64]; /* of the cluster, and of this node in it */
	char uuid[64];           /* of the cluster's history */
	char status[32];         /* wsrep_cluster_status: "Primary" has the data */
	char state[64];          /* wsrep_local_state_comment: "Synced" has all of it */
	bool ready;              /* it takes statements at all */
	bool alone;              /* no provider is loaded: whatever wsrep_on says, it is a server like any other */
	bool desynced;           /* somebody has set wsrep_desync */
	bool myisam, aria;       /* the rows of these engines go to the others too (wsrep_mode) */
	int64_t size;            /* nodes that it sees */
	int64_t max_rows, max_bytes; /* of a transaction; 0 no limit */
	/* of cluster_mark */
	int64_t seqno;           /* what the cluster did up to there is in the snapshot */
	bool exact;              /* and nothing behind it */
};
/* Also answered by a node that takes no other statement. What the server does not tell stays empty. */
void cluster_look(struct cluster *ret, struct conn *c);
/* cluster_look, until a node that is behind for a moment (it feeds another one, its snapshot is being taken) is in
 * step again, wait_s at most. ERR_DB with the way out: it is not, or it has lost its cluster. What it has may be old. */
int cluster_in_step(struct cluster *ret, struct conn *c, int64_t wait_s, struct err *e) MUSTCHECK;
/* Where the cluster stands. exact: nothing can be committed until the snapshots are taken. */
void cluster_mark(struct cluster *k, struct conn *c, bool exact);
/* Do rows of a table of this engine stay on the node on which they are written? */
bool cluster_keeps(const struct cluster *k, const char *engine);
/* "node n1 of the cluster shop (3 nodes)"; "" when there is none. */
void cluster_text(const struct cluster *k, char *to, size_t max);
/* The member "cluster": null when there is none. */
void cluster_put(const struct cluster *k, struct json_out *o);

#endif
