/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_LIST_H
#define FELLOE_TUI_LIST_H

#include "tui/field.h"
#include "tui/screen.h"
#include "tui/table.h"

/* Draws a table: headings, rows, cursor and marks, by a layout that fits the
 * width. The columns of a layout are data: what to leave out on a narrow
 * terminal is another layout, not code. */
struct column {
	int id;             /* for the cell function */
	const char *title;
	int x, w;           /* from the left edge */
};
struct layout {
	int min_cols;       /* the first of the layouts that fits is used: widest first */
	const struct column *columns;
	size_t n;
};
/* How a view paints: ctx is the view, i the index of the row in its data. */
struct list_view {
	const struct layout *layout;
	void (*cell)(struct screen *s, struct span at, const void *ctx, size_t i, int column);
	const void *ctx;
	bool stale;         /* rows are dim */
};

/* The first of layouts[0..n) for this width (the last when none fits). */
const struct layout *list_layout(const struct layout *layouts, size_t n, int cols);
/* Headings in the first line of r, rows below; the cursor is parked on its row. */
void list_draw(struct screen *s, struct rect r, struct table *t, const struct list_view *v);
/* While *typing, keys and pasted text (text, with K_PASTE) go into the filter f of t: Enter
 * and the arrows leave it as it stands, Esc empties it. True when the key was used. */
bool list_filter_key(struct table *t, struct field *f, bool *typing, int key, const char *text);
enum { LIST_RANGE = 64 };
/* "1-13 of 14", "none of 14". Returns text. */
char *list_range(char text[static LIST_RANGE], const struct table *t);

#endif
