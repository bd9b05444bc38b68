/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_SCREEN_H
#define FELLOE_TUI_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "tui/glyph.h"
#include "tui/theme.h"

/* A grid of cells in memory. All drawing happens here, by screen_put, so that a
 * view can be painted and compared without a terminal. */

struct cell {
	char text[14];  /* UTF-8, one character and what combines with it; "" shows as a space */
	uint8_t width;  /* 1 or 2; 0: the right half of the cell before */
	uint8_t style;  /* enum style, ST_SELECTED or-ed */
};

struct screen {
	int rows, cols;
	enum glyphs glyphs;
	struct cell *cells;  /* rows * cols */
	int cur_y, cur_x;    /* where the hardware cursor is parked (readers and braille displays follow it) */
	bool cur_show;       /* the cursor stands in a text field */
};

struct span {
	int y, x, w;
};
struct rect {
	int y, x, h, w;
};
#define AT(y_, x_, w_) ((struct span){(y_), (x_), (w_)})
#define RECT(y_, x_, h_, w_) ((struct rect){(y_), (x_), (h_), (w_)})

void screen_init(struct screen *s, enum glyphs glyphs);
void screen_done(struct screen *s);
/* New size, everything blank. Sizes below 1 count as 1, above 1000 as 1000. */
void screen_resize(struct screen *s, int rows, int cols);
void screen_clear(struct screen *s);
/* The cell, or NULL outside. */
const struct cell *screen_cell(const struct screen *s, int y, int x);
bool cell_same(const struct cell *a, const struct cell *b);

/* The one way to draw: text from at.x on, in at most at.w cells, clipped at the
 * edges; what does not fit is cut and ends with '…'. Controls show as '?'.
 * Returns the cells used. */
int screen_put(struct screen *s, struct span at, unsigned style, const char *text);
int screen_putf(struct screen *s, struct span at, unsigned style, const char *fmt, ...) PRINTF(4, 5);
/* The same, against the right end of the span. */
void screen_right(struct screen *s, struct span at, unsigned style, const char *text);
/* n times the same text of one cell. */
void screen_repeat(struct screen *s, struct span at, unsigned style, const char *glyph);
/* Blanks in a style. */
void screen_fill(struct screen *s, struct rect r, unsigned style);
/* Or-s a flag (ST_SELECTED) or sets a style on cells that are drawn already. */
void screen_select(struct screen *s, struct span at);
void screen_restyle(struct screen *s, struct span at, unsigned style);
/* A frame around r (its border lies inside r), with a title in the top line; NULL: none. */
void screen_box(struct screen *s, struct rect r, unsigned style, const char *title);
/* A window over what is drawn: blank inside, "┌─ title ───┐". */
void screen_window(struct screen *s, struct rect r, const char *title);
/* "─ title ──────" over the whole span. */
void screen_rule(struct screen *s, struct span at, unsigned style, const char *title);
/* Paragraph wrapped at blanks into r; returns the lines used. */
int screen_wrap(struct screen *s, struct rect r, unsigned style, const char *text);
/* Parks the cursor; show: it is a text field's. */
void screen_cursor(struct screen *s, int y, int x, bool show);

#endif
