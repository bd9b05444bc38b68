/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_THEME_H
#define FELLOE_TUI_THEME_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"

/* What a text means; the theme says how that looks. A meaning never stands in
 * the colour alone: states have a glyph and a word. */
enum style {
	ST_TEXT,
	ST_TITLE, /* row 1 */
	ST_TAB,   /* the screen that is open */
	ST_HEAD,  /* headings of columns, frames' titles */
	ST_DIM,   /* stale, off, of less weight */
	ST_BOLD,
	ST_OK,
	ST_WARN,
	ST_FAIL,
	ST_RUN,
	ST_WAIT,
	ST_FIELD, /* text that can be edited */
	ST_KEY,   /* key of the footer */
	ST_ACT,   /* key of the footer that changes something */
	ST_STYLES,
	ST_SELECTED = 0x40, /* or-ed: the row or button under the cursor */
};

enum colour { COL_DEFAULT, COL_RED, COL_GREEN, COL_YELLOW, COL_BLUE, COL_MAGENTA, COL_CYAN };

struct look {
	enum colour colour;
	bool bold, dim, reverse, underline;
};

/* How to show a style (with or without ST_SELECTED). Without colour only bold,
 * reverse and underline are used. */
struct look theme_look(unsigned style, bool colour);
/* Whether to use colours: option is NULL, "auto", "always" or "never"; auto
 * means NO_COLOR is unset or empty (no-color.org). -1 for another word. */
int theme_colour(const char *option, bool *ret) MUSTCHECK;

#endif
