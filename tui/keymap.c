/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/keymap.h"

static const struct binding *find_in(const struct binding *b, int key)
{
	for (; b && b->key; b++)
		if (b->key == key)
			return b;
	return NULL;
}

const struct binding *keymap_find(const struct binding *own, const struct binding *common, int key)
{
	const struct binding *b = find_in(own, key);

	return b ? b : find_in(common, key);
}

/* Draws the labelled keys of one table from x on, but those that `first` has
 * already; returns the x behind them. */
static int footer_part(struct screen *s, struct span at, const struct binding *b, const struct binding *first, bool off)
{
	for (; b && b->key; b++) {
		int w, kw = text_width(b->name);

		if (!b->label || find_in(first, b->key))
			continue;
		w = kw + 1 + text_width(b->label);
		if (at.x + w > at.w)
			continue;
		screen_put(s, AT(at.y, at.x, kw), b->changes ? (off ? ST_DIM : ST_ACT) : ST_KEY, b->name);
		screen_put(s, AT(at.y, at.x + kw + 1, w), b->changes && off ? ST_DIM : ST_TEXT, b->label);
		at.x += w + 2;
	}
	return at.x;
}

void keymap_footer(struct screen *s, int y, const struct binding *own, const struct binding *common, bool off)
{
	int x = footer_part(s, AT(y, 1, s->cols), own, NULL, off);

	footer_part(s, AT(y, x, s->cols), common, own, off);
}

/* The n-th binding of the help; NULL behind the last. */
static const struct binding *nth(const struct binding *own, const struct binding *common, int n)
{
	for (const struct binding *b = own; b && b->key; b++)
		if (b->help && n-- == 0)
			return b;
	for (const struct binding *b = common; b && b->key; b++)
		if (b->help && !find_in(own, b->key) && n-- == 0)
			return b;
	return NULL;
}

static int count(const struct binding *own, const struct binding *common)
{
	int n = 0;

	while (nth(own, common, n))
		n++;
	return n;
}

void keymap_help(struct screen *s, const char *title, const struct binding *own, const struct binding *common, int *top)
{
	int n = count(own, common), w = s->cols > 76 ? 76 : s->cols, h = n + 4 < s->rows ? n + 4 : s->rows;
	struct rect r = RECT((s->rows - h) / 2, (s->cols - w) / 2, h, w);
	int lines = h - 3;

	*top = *top > n - lines ? n - lines : *top;
	*top = *top < 0 ? 0 : *top;
	screen_window(s, r, title);
	for (int i = 0; i < lines && *top + i < n; i++) {
		const struct binding *b = nth(own, common, *top + i);

		screen_put(s, AT(r.y + 1 + i, r.x + 2, 12), b->changes ? ST_ACT : ST_KEY, b->name);
		screen_put(s, AT(r.y + 1 + i, r.x + 15, w - 17), ST_TEXT, b->help);
	}
	screen_put(s, AT(r.y + h - 2, r.x + 2, w - 4), ST_DIM,
		   n > lines ? "Arrows scroll, any other key closes" : "Any key closes");
	screen_cursor(s, r.y + 1, r.x + 2, false);
}
