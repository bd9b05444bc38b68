/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_LIVE_IN_H
#define FELLOE_LIVE_IN_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "masterd/live.h"
#include "shared/list.h"

/* The inside of live; for the files of masterd/live alone, all of it under its lock. */
struct live {
	pthread_mutex_t lock;
	int64_t heartbeat_ms;
	uint64_t version;
	struct { LIST_OF(struct live_node *); } nodes; /* by number */
	struct key_slot {
		const uint8_t *hash;     /* of the node's key, or of the one that waits for it */
		struct live_node *node;  /* NULL: free */
	} *keys;                     /* open addressing; n_keys is a power of two */
	size_t n_keys;
	struct changes changes;
};

/* NULL: there is none. */
struct live_node *live_find(const struct live *l, int64_t id);
/* After a key or a node came or went: rare. */
void live_keys_rebuild(struct live *l);

#endif
