/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

enum { SIZE_MAX_CELLS = 1000 };

void screen_init(struct screen *s, enum glyphs glyphs)
{
	*s = (struct screen){.glyphs = glyphs};
	screen_resize(s, 24, 80);
}

void screen_done(struct screen *s)
{
	freep(&s->cells);
	*s = (struct screen){0};
}

static int limited(int n)
{
	return n < 1 ? 1 : n > SIZE_MAX_CELLS ? SIZE_MAX_CELLS : n;
}

void screen_resize(struct screen *s, int rows, int cols)
{
	s->rows = limited(rows);
	s->cols = limited(cols);
	s->cells = xrealloc(s->cells, (size_t)s->rows * (size_t)s->cols * sizeof(*s->cells));
	screen_clear(s);
}

void screen_clear(struct screen *s)
{
	size_t n = (size_t)s->rows * (size_t)s->cols;

	memset(s->cells, 0, n * sizeof(*s->cells));
	for (size_t i = 0; i < n; i++)
		s->cells[i].width = 1;
	s->cur_y = s->cur_x = 0;
	s->cur_show = false;
}

static struct cell *cell_at(const struct screen *s, int y, int x)
{
	if (y < 0 || x < 0 || y >= s->rows || x >= s->cols)
		return NULL;
	return &s->cells[(size_t)y * (size_t)s->cols + (size_t)x];
}

const struct cell *screen_cell(const struct screen *s, int y, int x)
{
	return cell_at(s, y, x);
}

bool cell_same(const struct cell *a, const struct cell *b)
{
	return a->style == b->style && a->width == b->width && strcmp(a->text, b->text) == 0;
}

/* A wide character of which one half is overwritten loses the other half too. */
static void detach(struct screen *s, int y, int x)
{
	struct cell *c = cell_at(s, y, x), *other;

	if (!c)
		return;
	other = c->width == 0 ? cell_at(s, y, x - 1) : c->width == 2 ? cell_at(s, y, x + 1) : NULL;
	if (other) {
		other->text[0] = '\0';
		other->width = 1;
	}
	c->width = 1;
}

static void set_cell(struct screen *s, int y, int x, unsigned style, uint32_t cp)
{
	int w = glyph_width(cp);
	struct cell *c = cell_at(s, y, x), *right = w == 2 ? cell_at(s, y, x + 1) : NULL;

	if (!c)
		return;
	detach(s, y, x);
	if (w == 2)
		detach(s, y, x + 1);
	utf8_put(c->text, cp == ' ' || (w == 2 && !right) ? 0 : cp);
	c->style = (uint8_t)style;
	if (right) {
		c->width = 2;
		*right = (struct cell){.width = 0, .style = (uint8_t)style};
	}
}

static void combine(struct screen *s, int y, int x, uint32_t cp)
{
	struct cell *c = cell_at(s, y, x);
	char mark[5];
	size_t len;

	if (c && c->width == 0)
		c = cell_at(s, y, x - 1);
	if (!c || !c->text[0])
		return;
	len = strlen(c->text);
	if (len + (size_t)utf8_put(mark, cp) < sizeof(c->text))
		memcpy(c->text + len, mark, strlen(mark) + 1);
}

/* The next code point as it may be shown. */
static uint32_t next_shown(const struct screen *s, const char **text)
{
	uint32_t cp = utf8_next(text);

	if (cp == 0 || cp == '\n')
		return 0;
	if (cp < 0x20 || (cp >= 0x7F && cp < 0xA0))
		return '?';
	return glyph_map(s->glyphs, cp);
}

static int shown_width(const struct screen *s, const char *text)
{
	int w = 0;

	for (uint32_t cp; (cp = next_shown(s, &text));)
		w += glyph_width(cp);
	return w;
}

int screen_put(struct screen *s, struct span at, unsigned style, const char *text)
{
	int room = at.x + at.w > s->cols ? s->cols - at.x : at.w, used = 0;
	bool cut;

	if (room <= 0 || at.y < 0 || at.y >= s->rows || !text)
		return 0;
	cut = shown_width(s, text) > room;
	for (uint32_t cp; (cp = next_shown(s, &text));) {
		int w = glyph_width(cp);

		if (w == 0) {
			combine(s, at.y, at.x + used - 1, cp);
			continue;
		}
		if (used + w > room - cut)
			break;
		set_cell(s, at.y, at.x + used, style, cp);
		used += w;
	}
	if (cut)
		set_cell(s, at.y, at.x + used++, style, s->glyphs == GLYPHS_ASCII ? '+' : 0x2026);
	return used;
}

int screen_putf(struct screen *s, struct span at, unsigned style, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return screen_put(s, at, style, text);
}

void screen_right(struct screen *s, struct span at, unsigned style, const char *text)
{
	int w = shown_width(s, text);

	if (w < at.w) {
		at.x += at.w - w;
		at.w = w;
	}
	screen_put(s, at, style, text);
}

void screen_repeat(struct screen *s, struct span at, unsigned style, const char *glyph)
{
	for (int i = 0; i < at.w; i++)
		screen_put(s, AT(at.y, at.x + i, 1), style, glyph);
}

void screen_fill(struct screen *s, struct rect r, unsigned style)
{
	for (int y = r.y; y < r.y + r.h; y++)
		for (int x = r.x; x < r.x + r.w; x++)
			set_cell(s, y, x, style, ' ');
}

void screen_select(struct screen *s, struct span at)
{
	for (int x = at.x; x < at.x + at.w; x++) {
		struct cell *c = cell_at(s, at.y, x);

		if (c)
			c->style |= ST_SELECTED;
	}
}

void screen_restyle(struct screen *s, struct span at, unsigned style)
{
	for (int x = at.x; x < at.x + at.w; x++) {
		struct cell *c = cell_at(s, at.y, x);

		if (c)
			c->style = (uint8_t)style;
	}
}

void screen_rule(struct screen *s, struct span at, unsigned style, const char *title)
{
	screen_repeat(s, at, style, "─");
	if (!str_empty(title) && at.w > 6)
		screen_putf(s, AT(at.y, at.x + 1, at.w - 2), style, " %s ", title);
}

void screen_box(struct screen *s, struct rect r, unsigned style, const char *title)
{
	int right = r.x + r.w - 1, bottom = r.y + r.h - 1;

	if (r.h < 2 || r.w < 2)
		return;
	screen_repeat(s, AT(r.y, r.x + 1, r.w - 2), style, "─");
	screen_repeat(s, AT(bottom, r.x + 1, r.w - 2), style, "─");
	for (int y = r.y + 1; y < bottom; y++) {
		screen_put(s, AT(y, r.x, 1), style, "│");
		screen_put(s, AT(y, right, 1), style, "│");
	}
	screen_put(s, AT(r.y, r.x, 1), style, "┌");
	screen_put(s, AT(r.y, right, 1), style, "┐");
	screen_put(s, AT(bottom, r.x, 1), style, "└");
	screen_put(s, AT(bottom, right, 1), style, "┘");
	if (!str_empty(title) && r.w > 6)
		screen_putf(s, AT(r.y, r.x + 1, r.w - 2), style, " %s ", title);
}

void screen_window(struct screen *s, struct rect r, const char *title)
{
	screen_fill(s, r, ST_TEXT);
	screen_box(s, r, ST_TEXT, NULL);
	if (r.w > 8)
		screen_putf(s, AT(r.y, r.x + 2, r.w - 3), ST_HEAD, " %s ", title);
}

/* Bytes of text that fit in w cells, broken at the last blank if there is one. */
static size_t line_bytes(const char *text, int w)
{
	const char *p = text, *blank = NULL;
	int used = 0;

	for (;;) {
		const char *before = p;
		uint32_t cp = utf8_next(&p);

		if (cp == 0 || cp == '\n')
			return (size_t)(before - text);
		if (cp == ' ')
			blank = before;
		used += glyph_width(cp);
		if (used > w)
			return (size_t)((blank && blank > text ? blank : before > text ? before : p) - text);
	}
}

int screen_wrap(struct screen *s, struct rect r, unsigned style, const char *text)
{
	int lines = 0;

	if (r.w < 1)
		return 0;
	while (*text && lines < r.h) {
		size_t n = line_bytes(text, r.w);
		char *line = xstrndup(text, n);

		/* the last line that there is room for shows that it is cut */
		screen_put(s, AT(r.y + lines, r.x, r.w), style, lines == r.h - 1 ? text : line);
		freep(&line);
		text += n;
		while (*text == ' ')
			text++;
		if (*text == '\n')
			text++;
		lines++;
	}
	return lines;
}

void screen_cursor(struct screen *s, int y, int x, bool show)
{
	s->cur_y = y < 0 ? 0 : y >= s->rows ? s->rows - 1 : y;
	s->cur_x = x < 0 ? 0 : x >= s->cols ? s->cols - 1 : x;
	s->cur_show = show;
}
