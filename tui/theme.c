/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/theme.h"

#include <stdlib.h>

#include "shared/str.h"

static const struct look looks[ST_STYLES] = {
	[ST_TITLE] = {.reverse = true},
	[ST_TAB] = {.bold = true, .underline = true},
	[ST_HEAD] = {.bold = true},
	[ST_DIM] = {.dim = true},
	[ST_BOLD] = {.bold = true},
	[ST_OK] = {.colour = COL_GREEN},
	[ST_WARN] = {.colour = COL_YELLOW, .bold = true},
	[ST_FAIL] = {.colour = COL_RED, .bold = true},
	[ST_RUN] = {.colour = COL_CYAN},
	[ST_WAIT] = {.colour = COL_MAGENTA},
	[ST_FIELD] = {.underline = true},
	[ST_KEY] = {.colour = COL_CYAN},
	[ST_ACT] = {.colour = COL_CYAN, .bold = true},
};

struct look theme_look(unsigned style, bool colour)
{
	struct look look = looks[(style & 0x3F) < ST_STYLES ? style & 0x3F : ST_TEXT];

	if (style & ST_SELECTED)
		look.reverse = !look.reverse;
	if (!colour) {
		look.colour = COL_DEFAULT;
		look.dim = false; /* many monochrome terminals show it as nothing at all */
	}
	return look;
}

int theme_colour(const char *option, bool *ret)
{
	if (!option || str_eq(option, "auto"))
		*ret = str_empty(getenv("NO_COLOR"));
	else if (str_eq(option, "always"))
		*ret = true;
	else if (str_eq(option, "never"))
		*ret = false;
	else
		return -1;
	return 0;
}
