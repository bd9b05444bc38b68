/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/field.h"

#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tui/keys.h"

void field_set(struct field *f, const char *text)
{
	mem_wipe(f->v, sizeof(f->v));
	str_cut(f->v, sizeof(f->v), str_or(text, ""));
	while (!str_utf8_valid(f->v, strlen(f->v))) /* the cut may have split a character */
		f->v[strlen(f->v) - 1] = '\0';
	f->pos = strlen(f->v);
	f->touched = false;
}

void field_done(struct field *f)
{
	mem_wipe(f->v, sizeof(f->v));
	f->pos = 0;
}

static size_t before(const struct field *f)
{
	size_t p = f->pos;

	if (p)
		p--;
	while (p && ((unsigned char)f->v[p] & 0xC0) == 0x80)
		p--;
	return p;
}

static size_t after(const struct field *f)
{
	const char *p = f->v + f->pos;

	utf8_next(&p);
	return (size_t)(p - f->v);
}

/* Removes the bytes from a to b. */
static void erase(struct field *f, size_t a, size_t b)
{
	size_t len = strlen(f->v);

	memmove(f->v + a, f->v + b, len - b + 1);
	mem_wipe(f->v + len - (b - a), b - a);
	f->pos = a;
	f->touched = true;
}

static void insert(struct field *f, uint32_t cp)
{
	char text[5];
	size_t n = (size_t)utf8_put(text, cp), len = strlen(f->v);

	if (n == 0 || len + n >= sizeof(f->v))
		return;
	memmove(f->v + f->pos + n, f->v + f->pos, len - f->pos + 1);
	memcpy(f->v + f->pos, text, n);
	f->pos += n;
	f->touched = true;
}

static size_t word_before(const struct field *f)
{
	size_t p = f->pos;

	while (p && f->v[p - 1] == ' ')
		p--;
	while (p && f->v[p - 1] != ' ')
		p--;
	return p;
}

bool field_key(struct field *f, int key)
{
	if (key == K_LEFT)
		f->pos = before(f);
	else if (key == K_RIGHT)
		f->pos = after(f);
	else if (key == K_HOME || key == K_CTRL('a'))
		f->pos = 0;
	else if (key == K_END || key == K_CTRL('e'))
		f->pos = strlen(f->v);
	else if (key == K_BACKSPACE || key == K_CTRL('h'))
		erase(f, before(f), f->pos);
	else if (key == K_DELETE || key == K_CTRL('d'))
		erase(f, f->pos, after(f));
	else if (key == K_CTRL('u'))
		erase(f, 0, strlen(f->v));
	else if (key == K_CTRL('w'))
		erase(f, word_before(f), f->pos);
	else if (key >= K_SPACE && key != K_BACKSPACE && key < 0x110000 && !(key >= 0x80 && key < 0xA0))
		insert(f, (uint32_t)key);
	else
		return false;
	return true;
}

void field_paste(struct field *f, const char *text)
{
	for (uint32_t cp; (cp = utf8_next(&text));)
		if (cp >= 0x20 && cp != 0x7F && cp != 0xFFFD && !(cp >= 0x80 && cp < 0xA0))
			insert(f, cp);
}

void field_draw(struct screen *s, struct span at, const struct field *f, bool focus)
{
	int room = at.w - 3, cells = 0; /* brackets, and a cell for the cursor behind the text */
	const char *p = f->v, *from = f->v;
	bool stars = f->secret && !f->shown;

	if (at.w < 4)
		return;
	for (const char *q = f->v; q < f->v + f->pos;)
		cells += stars ? (utf8_next(&q), 1) : glyph_width(utf8_next(&q));
	while (cells > room && *from) /* the cursor stays in view */
		cells -= stars ? (utf8_next(&from), 1) : glyph_width(utf8_next(&from));
	screen_put(s, AT(at.y, at.x, 1), ST_TEXT, "[");
	screen_put(s, AT(at.y, at.x + at.w - 1, 1), ST_TEXT, "]");
	screen_fill(s, RECT(at.y, at.x + 1, 1, at.w - 2), ST_FIELD);
	if (!stars) {
		screen_put(s, AT(at.y, at.x + 1, at.w - 2), ST_FIELD, from);
	} else {
		p = from;
		for (int x = 0; x < at.w - 2 && utf8_next(&p); x++)
			screen_put(s, AT(at.y, at.x + 1 + x, 1), ST_FIELD, "*");
	}
	if (focus)
		screen_cursor(s, at.y, at.x + 1 + cells, true);
}
