/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_KEYMAP_H
#define FELLOE_TUI_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/screen.h"

/* One table a screen: the dispatcher, the footer and the help are made from it,
 * so they cannot disagree. Lower case never changes anything: a binding with
 * changes set has a capital as its key (a test holds that). */
struct binding {
	int key;
	int command;        /* what the view's act gets; the dispatcher's answer */
	const char *name;   /* "Enter", "A" */
	const char *label;  /* in the footer: "Approve"; NULL: only in the help */
	const char *help;   /* "approve the node under the cursor, after a question" */
	bool changes;       /* sends something other than GET */
};

/* The command bound to key in the tables own, then common (both end with a
 * zeroed entry; NULL is empty), or 0. */
const struct binding *keymap_find(const struct binding *own, const struct binding *common, int key);
/* " Enter Open  / Filter ..." in the order of the tables; what does not fit is
 * left out whole. off: dims the keys that change something. */
void keymap_footer(struct screen *s, int y, const struct binding *own, const struct binding *common, bool off);
/* The help over the screen: every binding that has a help text. top: first line shown. */
void keymap_help(struct screen *s, const char *title, const struct binding *own, const struct binding *common,
		 int *top);

#endif
