/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/form.h"

#include "shared/str.h"
#include "tui/keys.h"

struct form_item *form_add(struct form *f, enum item_type type, const char *label, int id)
{
	struct form_item *it = &f->items[f->n < FORM_ITEMS ? f->n++ : FORM_ITEMS - 1];

	*it = (struct form_item){.type = type, .label = label, .id = id};
	if (f->items[f->focus].type == ITEM_TEXT || f->items[f->focus].off)
		f->focus = f->n - 1;
	return it;
}

void form_reset(struct form *f)
{
	f->n = f->focus = 0;
	f->top = 0;
}

static bool can_focus(const struct form_item *it)
{
	return it->type != ITEM_TEXT && !it->off;
}

void form_focus(struct form *f, int id)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].id == id && can_focus(&f->items[i]))
			f->focus = i;
}

static void move(struct form *f, bool back)
{
	for (size_t step = 1; step <= f->n; step++) {
		size_t i = (f->focus + (back ? f->n - step : step)) % f->n;

		if (can_focus(&f->items[i])) {
			f->focus = i;
			return;
		}
	}
}

static bool is_last_field(const struct form *f)
{
	for (size_t i = f->focus + 1; i < f->n; i++)
		if (f->items[i].type == ITEM_FIELD && !f->items[i].off)
			return false;
	return true;
}

static enum form_result press_first(struct form *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].type == ITEM_BUTTON && !f->items[i].off) {
			f->focus = i;
			return FORM_PRESSED;
		}
	return FORM_USED;
}

static enum form_result field_input(struct form *f, struct form_item *it, int key, const char *text)
{
	if (key == K_PASTE) {
		field_paste(it->field, str_or(text, ""));
		return FORM_CHANGED;
	}
	if (key == K_ENTER) {
		if (f->enter_presses && is_last_field(f))
			return press_first(f);
		move(f, false);
		return FORM_USED;
	}
	return field_key(it->field, key) ? FORM_CHANGED : FORM_IGNORED;
}

static enum form_result activate(struct form_item *it)
{
	if (it->type == ITEM_CHECK)
		*it->check = !*it->check;
	else if (it->type == ITEM_CHOICE)
		*it->choice = it->value;
	else
		return FORM_PRESSED;
	return FORM_CHANGED;
}

enum form_result form_key(struct form *f, int key, const char *text)
{
	struct form_item *it = &f->items[f->focus];

	if (f->n == 0 || !can_focus(it))
		return FORM_IGNORED;
	if (key == K_TAB || key == K_DOWN || key == K_BACKTAB || key == K_UP) {
		move(f, key == K_BACKTAB || key == K_UP);
		return FORM_USED;
	}
	if (it->type == ITEM_FIELD)
		return field_input(f, it, key, text);
	if (key == K_SPACE || key == K_ENTER)
		return activate(it);
	if (it->type == ITEM_BUTTON && (key == K_LEFT || key == K_RIGHT)) {
		move(f, key == K_LEFT);
		return FORM_USED;
	}
	return FORM_IGNORED;
}

static int label_width(const struct form *f)
{
	int widest = 0;

	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].type == ITEM_FIELD && text_width(f->items[i].label) > widest)
			widest = text_width(f->items[i].label);
	return f->label_width ? f->label_width : widest + 1;
}

static bool has_buttons(const struct form *f)
{
	return f->n && f->items[f->n - 1].type == ITEM_BUTTON;
}

/* Lines of an item above the row of buttons. */
static int lines(const struct form_item *it)
{
	return it->type == ITEM_BUTTON ? 0 : str_empty(it->error) ? 1 : 2;
}

int form_height(const struct form *f)
{
	int h = 0;

	for (size_t i = 0; i < f->n; i++)
		h += lines(&f->items[i]);
	return h + (has_buttons(f) ? 2 : 0);
}

static void draw_field(struct screen *s, struct span at, struct form *f, size_t i)
{
	const struct form_item *it = &f->items[i];
	int lw = label_width(f), w = it->width && it->width < at.w - lw ? it->width : at.w - lw;

	screen_put(s, AT(at.y, at.x, lw), it->off ? ST_DIM : ST_TEXT, it->label);
	field_draw(s, AT(at.y, at.x + lw, w), it->field, i == f->focus);
	if (!str_empty(it->note))
		screen_put(s, AT(at.y, at.x + lw + w + 2, at.w - lw - w - 2), ST_DIM, it->note);
}

static void draw_item(struct screen *s, struct span at, struct form *f, size_t i)
{
	const struct form_item *it = &f->items[i];
	bool focus = i == f->focus;
	unsigned style = it->off ? ST_DIM : it->type == ITEM_TEXT ? it->style : ST_TEXT;

	if (it->type == ITEM_FIELD) {
		draw_field(s, at, f, i);
		return;
	}
	if (it->type == ITEM_TEXT) {
		screen_put(s, at, style, it->label);
		return;
	}
	style |= focus ? ST_SELECTED : 0U;
	if (it->type == ITEM_CHECK)
		screen_putf(s, at, style, "[%s] %s", *it->check ? "x" : " ", it->label);
	else
		screen_putf(s, at, style, "(%s) %s", *it->choice == it->value ? "•" : " ", it->label);
	if (!str_empty(it->note))
		screen_put(s, AT(at.y, at.x + text_width(it->label) + 6, at.w - text_width(it->label) - 6), ST_DIM,
			   it->note);
	if (focus)
		screen_cursor(s, at.y, at.x + 1, false);
}

static void draw_buttons(struct screen *s, struct span at, const struct form *f)
{
	int w = -4, x;

	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].type == ITEM_BUTTON)
			w += text_width(f->items[i].label) + 8;
	x = at.x + (w < at.w ? (at.w - w) / 2 : 0);
	for (size_t i = 0; i < f->n; i++) {
		const struct form_item *it = &f->items[i];
		bool focus = i == f->focus;
		int bw = text_width(it->label) + 4;

		if (it->type != ITEM_BUTTON)
			continue;
		screen_putf(s, AT(at.y, x, bw), (it->off ? ST_DIM : ST_TEXT) | (focus ? ST_SELECTED : 0U),
			    it->is_default ? "[ %s ]" : "< %s >", it->label);
		if (focus)
			screen_cursor(s, at.y, x + 2, false);
		x += bw + 4;
	}
}

/* Scrolls so that the focused item is in view. */
static void follow(struct form *f, int room)
{
	int y = 0;

	for (size_t i = 0; i < f->focus; i++)
		y += lines(&f->items[i]);
	if (f->items[f->focus].type == ITEM_BUTTON)
		y = form_height(f) - (has_buttons(f) ? 3 : 1);
	if (y < f->top)
		f->top = y;
	if (y + lines(&f->items[f->focus]) > f->top + room)
		f->top = y + lines(&f->items[f->focus]) - room;
	if (f->top < 0 || form_height(f) - (has_buttons(f) ? 2 : 0) <= room)
		f->top = 0;
}

void form_draw(struct screen *s, struct rect r, struct form *f)
{
	int room = r.h - (has_buttons(f) ? 1 : 0), y = 0;

	if (has_buttons(f) && room > form_height(f) - 1)
		room = form_height(f) - 1;
	follow(f, room);
	for (size_t i = 0; i < f->n; i++) {
		const struct form_item *it = &f->items[i];
		int at = y - f->top;

		y += lines(it);
		if (it->type == ITEM_BUTTON || at < 0 || at >= room)
			continue;
		draw_item(s, AT(r.y + at, r.x, r.w), f, i);
		if (!str_empty(it->error) && at + 1 < room)
			screen_putf(s, AT(r.y + at + 1, r.x + 2, r.w - 2), ST_FAIL, "✗ %s", it->error);
	}
	if (has_buttons(f))
		draw_buttons(s, AT(r.y + room, r.x, r.w), f);
}
