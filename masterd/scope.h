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
};

bool scope_is_all(const struct scope *s);
/* node_tags: JSON array of texts, NULL none. */
bool scope_sees(const struct scope *s, const char *node_tags);

#endif
