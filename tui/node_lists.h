/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_NODE_LISTS_H
#define FELLOE_TUI_NODE_LISTS_H

#include "tui/app.h"
#include "tui/list.h"

/* The Timers and Runs pages of a node: a list each, the facts of the row under
 * the cursor below it. */
enum node_list { LIST_TIMERS, LIST_RUNS, NODE_LISTS };
struct node_lists {
	struct table tables[NODE_LISTS];
	const struct detail *detail; /* lent */
	const struct runs *runs;     /* lent */
	const struct app *app;       /* while drawing */
};

void node_lists_init(struct node_lists *l);
void node_lists_done(struct node_lists *l);
/* New data; both may be NULL. Lent until the next call. */
void node_lists_data(struct node_lists *l, const struct detail *d, const struct runs *r);
void node_lists_draw(struct node_lists *l, struct screen *s, struct rect r, enum node_list which, const struct app *a);
/* The timer or run under the cursor, or NULL; lent. */
const struct wire_timer *node_lists_timer(const struct node_lists *l);
const struct wire_run *node_lists_run(const struct node_lists *l);
bool node_lists_key(struct node_lists *l, enum node_list which, int key);

#endif
