/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_HOT_H
#define FELLOE_HOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "masterd/sample.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"

/* The samples that are in the journal but not in blocks yet, in memory, as
 * records (some 60 bytes each with their entry). Any thread. */
struct hot;

/* A row of the journal: who wrote it (master.h), its number there. */
struct journal_id {
	char origin[UUID_TEXT];
	int64_t id;
};

struct hot *hot_new(void);
void hot_free(struct hot *h);

/* A row of the journal was committed or read: take its samples. One whose node
 * and time are there already stays as it was. ERR_DAMAGED: of the rest nothing
 * was taken. */
int hot_add(struct hot *h, const struct journal_id *row, const void *doc, size_t n, struct err *e) MUSTCHECK;
/* The newest row of this origin that was taken; 0 none. */
int64_t hot_cursor(struct hot *h, const char *origin);

/* Append the node's samples by time to ret (empty). *upto is a mark for
 * hot_packed: what came since is not in ret. */
void hot_read(struct hot *h, int64_t node_id, struct block *ret, uint32_t *upto);
/* The node's samples before the mark are in blocks now. */
void hot_packed(struct hot *h, int64_t node_id, uint32_t upto);
/* Of this origin the journal begins at id first: all before it is in blocks. */
void hot_settled(struct hot *h, const char *origin, int64_t first);

/* Where each origin's rows end, to delete up to there once all nodes are packed. */
struct journal_ids {
	LIST_OF(struct journal_id);
};
void hot_ends(struct hot *h, struct journal_ids *ret);
/* Numbers of the nodes that have samples here, above after, at most max. */
size_t hot_nodes(struct hot *h, int64_t after, int64_t *ids, size_t max);

struct hot_size {
	uint64_t nodes, samples, bytes;
};
void hot_size(struct hot *h, struct hot_size *ret);

#endif
