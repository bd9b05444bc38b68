/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_VIEWORDER_H
#define FELLOE_MYSQL_VIEWORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/list.h"

/* In which order the views of a database are made. Each stands as a placeholder
 * before, so any order works; but whether a view can be written through, and WITH
 * CHECK OPTION, is settled when it is made: what it uses has to be real by then.
 * Only views that cannot be used, their definer being gone, come after those that
 * use them: on the real one those could not be made. */

struct view_node {
	const char *name;                  /* lent */
	bool dead;
	struct { LIST_OF(size_t); } uses; /* numbers of views, dead or not */
	char mark;
};
struct view_order {
	LIST_OF(struct view_node);         /* the caller fills name and dead */
	size_t *sorted;                    /* numbers, by name */
};
void view_order_done(struct view_order *o);
/* All names are there: now text (of SHOW CREATE VIEW) may tell what number i uses.
 * A column called like a view counts too, which does no harm. */
void view_order_text(struct view_order *o, size_t i, const char *text, size_t n);
/* The numbers of all views in order; ret has room for o->n. A circle, which no
 * server makes, is cut somewhere. */
void view_order_get(struct view_order *o, size_t *ret);

#endif
