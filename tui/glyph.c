/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/glyph.h"

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#include "shared/attr.h"

enum { REPLACEMENT = 0xFFFD, BRAILLE = 0x2800, EIGHTHS = 0x2580 };

/* Our glyphs, what the kernel's console shows for them (0: the same) and 7 bit. */
static const struct {
	uint32_t full, linux_font;
	char ascii;
} table[] = {
	{0x00B7, 0, '.'},  {0x00AB, 0, '"'},  {0x00BB, 0, '>'},      {0x2016, '=', '='},  {0x2022, '*', '*'},
	{0x2026, 0, '?'},  {0x25CF, '*', '*'}, {0x25CB, 'o', 'o'},   {0x25D0, 'c', 'c'},  {0x25B2, '!', '!'},
	{0x2717, 'x', 'x'}, {0x2713, 'v', 'v'}, {0x25BE, 'v', 'v'},  {0x22EE, ':', ':'},  {0x2500, 0, '-'},
	{0x2502, 0, '|'},  {0x250C, 0, '+'},  {0x2510, 0, '+'},      {0x2514, 0, '+'},    {0x2518, 0, '+'},
	{0x2524, 0, '|'},  {0x251C, 0, '|'},  {0x2534, 0, '+'},      {0x2591, 0, '.'},    {0x2592, 0, ':'},
	{0x2588, 0, '#'},  {0x2193, 0, 'v'},  {0x2191, 0, '^'},      {0x2192, 0, '>'},
};

static bool continuation(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

uint32_t utf8_next(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	int n = p[0] < 0x80 ? 1 : (p[0] & 0xE0) == 0xC0 ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : (p[0] & 0xF8) == 0xF0 ? 4 : 0;
	uint32_t cp;

	if (p[0] == 0)
		return 0;
	++*s;
	if (n == 0)
		return REPLACEMENT;
	cp = n == 1 ? p[0] : p[0] & (0x7FU >> n);
	for (int i = 1; i < n; i++) {
		if (!continuation(p[i]))
			return REPLACEMENT;
		cp = cp << 6 | (p[i] & 0x3FU);
	}
	if (cp < least[n] || cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
		return REPLACEMENT;
	*s += n - 1;
	return cp;
}

int utf8_put(char out[static 5], uint32_t cp)
{
	int n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};

	if (cp == 0)
		n = 0;
	for (int i = n - 1; i > 0; i--, cp >>= 6)
		out[i] = (char)(0x80 | (cp & 0x3F));
	if (n)
		out[0] = (char)(lead[n] | cp);
	out[n] = '\0';
	return n;
}

int glyph_width(uint32_t cp)
{
	int w = cp < 0x80 ? 1 : wcwidth((wchar_t)cp);

	return w < 0 ? 1 : w > 2 ? 2 : w;
}

int text_width(const char *s)
{
	int w = 0;

	for (uint32_t cp; (cp = utf8_next(&s));)
		w += glyph_width(cp);
	return w;
}

/* Braille and eighths by how full they are: the font of the kernel's console has three shades. */
static uint32_t shade(enum glyphs set, unsigned level, unsigned most)
{
	static const uint32_t shades[] = {0x2591, 0x2592, 0x2588};
	static const char steps[] = "_.-=#";

	if (set == GLYPHS_ASCII)
		return (uint32_t)steps[level * 4 / most];
	return shades[level * 2 / most];
}

uint32_t glyph_map(enum glyphs set, uint32_t cp)
{
	if (set == GLYPHS_FULL || cp < 0x80)
		return cp;
	if (cp >= BRAILLE && cp < BRAILLE + 256) {
		unsigned dots = (unsigned)__builtin_popcount(cp & 0xFF);

		return dots ? shade(set, dots - 1, 7) : ' ';
	}
	if (cp > EIGHTHS && cp <= EIGHTHS + 8)
		return shade(set, cp - EIGHTHS - 1, 7);
	if (cp > EIGHTHS + 8 && cp <= EIGHTHS + 15) /* left eighths: the tail of a bar */
		return shade(set, EIGHTHS + 15 - cp, 7);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].full == cp)
			return set == GLYPHS_ASCII      ? (uint32_t)table[i].ascii
			       : table[i].linux_font ? table[i].linux_font
						     : cp;
	return set == GLYPHS_ASCII ? '?' : cp;
}
