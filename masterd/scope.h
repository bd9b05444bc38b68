/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SCOPE_H
#define FELLOE_SCOPE_H

#include <stdbool.h>

#include "shared/attr.h"
#include "shared/err.h"

/* What part of the fleet a person or token sees: the machines that carry at
 * least one of some tags; without tags all of them. */
enum { SCOPE_TAGS = 1025 };

struct scope {
	char tags[SCOPE_TAGS];    /* JSON array of texts; "" or "[]": no limit */
	bool untagged;            /* sees also who waits for approval and has no tags yet */
};

bool scope_is_all(const struct scope *s);
/* node_tags: JSON array of texts, NULL none. */
bool scope_sees(const struct scope *s, const char *node_tags);
/* From now on *s sees no more than by does. */
void scope_narrow(struct scope *s, const struct scope *by);
/* Are these tags at least one, and all among those of the scope? Without a limit
 * any are. What a limited administrator may give to a machine. */
bool scope_covers(const struct scope *s, const char *node_tags);

#endif
