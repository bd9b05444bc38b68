/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_LIVE_CHANGE_H
#define FELLOE_LIVE_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/health.h"
#include "masterd/scope.h"
#include "shared/json.h"

/* Which nodes changed since when, so that who follows (feed.h) is told what is
 * new without a look at all of them: a list of the nodes in the order of their
 * last change, and the numbers of those that went. Under the lock of live. */
enum { GONE_KEPT = 1024, TOLD_EVERY_MS = 30000 };

struct gone {
	int64_t id;
	uint64_t version;
	char *tags;
};
struct changes {
	struct live_node *newest;
	uint64_t known;           /* nothing is known of what went up to this version */
	struct gone gone[GONE_KEPT];
	size_t n_gone;            /* all there were; the last GONE_KEPT are kept */
};

void changes_init(struct changes *c, uint64_t version);
void changes_done(struct changes *c);
/* More than numbers changed in the line of n. */
void changes_line(struct changes *c, struct live_node *n, uint64_t version);
/* n was judged anew: did what a line shows of it change? Small moves of the
 * numbers count together; who reports is told of at least every TOLD_EVERY_MS. */
void changes_look(struct changes *c, struct live_node *n, uint64_t version, int64_t now);
/* n is about to be freed. */
void changes_drop(struct changes *c, struct live_node *n, uint64_t version);

struct change_query {
	const struct scope *scope;
	uint64_t since;           /* in: known to who asks; out: known to him after this answer */
	uint64_t now;             /* live's version */
	size_t max;               /* about so many bytes; the rest with the next question */
};
/* Write items, samples and gone (docs/api.md, Events) into the open object.
 * 1 something, 0 nothing, -1 not known any more. */
int changes_put(const struct changes *c, struct change_query *q, struct json_out *o);

#endif
