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

/* Is there no limit? */
bool scope_is_all(const struct scope *s);
/* Do they see the same? */
bool scope_same(const struct scope *a, const struct scope *b);
/* node_tags: JSON array of texts, NULL none. */
bool scope_sees(const struct scope *s, const char *node_tags);
/* The same for a machine that waits for approval: without tags it is nobody's yet,
 * and every administrator sees it. */
bool scope_sees_waiting(const struct scope *s, const char *node_tags, bool waits);
/* From now on *s sees no more than by does. */
void scope_narrow(struct scope *s, const struct scope *by);
/* May a limited administrator give these tags in place of those? At least one is
 * in the scope, and the tags that come or go all are: nobody moves machines into
 * or out of the part of the fleet of others. */
bool scope_may_retag(const struct scope *s, const char *before, const char *after);

#endif
