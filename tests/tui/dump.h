/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TESTS_DUMP_H
#define FELLOE_TESTS_DUMP_H

#include "shared/buf.h"
#include "tui/screen.h"

static inline void trim_line(struct buf *b, size_t start, char blank)
{
	while (b->len > start && b->p[b->len - 1] == blank)
		b->p[--b->len] = '\0';
	buf_addc(b, '\n');
}

/* The rows as text without trailing blanks, one a line. with_styles: then a line
 * "--" and one letter a cell ('.' plain; capital: selected). */
static inline void screen_dump(const struct screen *s, struct buf *b, bool with_styles)
{
	static const char letters[] = ".ithdbowfrpekc";

	for (int y = 0; y < s->rows; y++) {
		size_t start = b->len;

		for (int x = 0; x < s->cols; x++) {
			const struct cell *c = screen_cell(s, y, x);

			if (c->width)
				buf_adds(b, c->text[0] ? c->text : " ");
		}
		trim_line(b, start, ' ');
	}
	if (!with_styles)
		return;
	buf_adds(b, "--\n");
	for (int y = 0; y < s->rows; y++) {
		size_t start = b->len;

		for (int x = 0; x < s->cols; x++) {
			const struct cell *c = screen_cell(s, y, x);
			char l = letters[c->style & 0x3F];

			buf_addc(b, !(c->style & ST_SELECTED) ? l : l == '.' ? '#' : (char)(l - 32));
		}
		trim_line(b, start, '.');
	}
}

#endif
