/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_GLYPH_H
#define FELLOE_TUI_GLYPH_H

#include <stdint.h>

/* What the terminal can show. The views always write UTF-8 with our own glyphs;
 * the screen turns each into the nearest one of the set. */
enum glyphs {
	GLYPHS_FULL,  /* UTF-8: blocks and braille */
	GLYPHS_LINUX, /* UTF-8 on the kernel's console, whose font lacks eighths and braille */
	GLYPHS_ASCII, /* 7 bit */
};

/* The code point at *s, which moves behind it. 0 at the end; U+FFFD for each
 * byte that is no UTF-8 (RFC 3629). */
uint32_t utf8_next(const char **s);
/* Writes cp into out with its NUL and returns the number of bytes (0 to 4). */
int utf8_put(char out[static 5], uint32_t cp);
/* Cells that cp takes: 0 (combining), 1 or 2. Controls and what the locale does
 * not know count as 1: they are shown as '?'. */
int glyph_width(uint32_t cp);
/* Cells that the whole text takes. */
int text_width(const char *s);
/* cp as the set can show it; the same width or 1. */
uint32_t glyph_map(enum glyphs set, uint32_t cp);

#endif
