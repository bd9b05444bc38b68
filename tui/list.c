/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/list.h"

#include <stdio.h>

#include "tui/keys.h"

const struct layout *list_layout(const struct layout *layouts, size_t n, int cols)
{
	for (size_t i = 0; i < n; i++)
		if (cols >= layouts[i].min_cols)
			return &layouts[i];
	return &layouts[n - 1];
}

static void draw_row(struct screen *s, struct rect r, const struct table *t, const struct list_view *v, size_t place)
{
	size_t i = t->order[place];
	uint64_t id = t->ops->id(t->rows, i);
	bool here = place == t->at, marked = table_marked(t, id);

	for (size_t c = 0; c < v->layout->n; c++) {
		const struct column *col = &v->layout->columns[c];
		int w = r.x + col->x + col->w > r.x + r.w ? r.w - col->x : col->w;

		if (w > 0)
			v->cell(s, AT(r.y, r.x + col->x, w), v->ctx, i, col->id);
	}
	if (v->stale)
		screen_restyle(s, AT(r.y, r.x, r.w), ST_DIM);
	if (here)
		screen_put(s, AT(r.y, r.x + 1, 1), ST_TEXT, ">");
	if (marked)
		screen_put(s, AT(r.y, r.x + (here ? 2 : 1), 1), ST_BOLD, "*");
	if (here) {
		screen_select(s, AT(r.y, r.x, r.w));
		screen_cursor(s, r.y, r.x + 1, false);
	}
}

void list_draw(struct screen *s, struct rect r, struct table *t, const struct list_view *v)
{
	int room = r.h - 1;

	for (size_t c = 0; c < v->layout->n; c++) {
		const struct column *col = &v->layout->columns[c];

		if (col->x < r.w)
			screen_put(s, AT(r.y, r.x + col->x, col->w + 1), ST_HEAD, col->title);
	}
	table_fit(t, (int)t->n > room ? room - 1 : room);
	for (int line = 0; line < t->height; line++) {
		size_t place = t->top + (size_t)line;

		if (place >= t->n)
			break;
		draw_row(s, RECT(r.y + 1 + line, r.x, 1, r.w), t, v, place);
	}
	if (t->top + (size_t)t->height < t->n)
		screen_put(s, AT(r.y + room, r.x + 3, 1), ST_DIM, "⋮");
}

char *list_range(char text[static LIST_RANGE], const struct table *t)
{
	size_t last = t->top + (size_t)t->height;

	if (t->n == 0)
		snprintf(text, LIST_RANGE, t->total ? "none of %zu" : "none", t->total);
	else if (t->n == t->total)
		snprintf(text, LIST_RANGE, "%zu-%zu of %zu", t->top + 1, last < t->n ? last : t->n, t->n);
	else
		snprintf(text, LIST_RANGE, "%zu-%zu of %zu, %zu in all", t->top + 1, last < t->n ? last : t->n, t->n,
			 t->total);
	return text;
}

bool list_filter_key(struct table *t, struct field *f, bool *typing, int key, const char *text)
{
	if (key == K_ENTER || key == K_UP || key == K_DOWN || key == K_TAB) {
		*typing = false;
		return true;
	}
	if (key == K_ESC) {
		*typing = false;
		field_set(f, "");
	} else if (key == K_PASTE) {
		field_paste(f, text);
	} else if (!field_key(f, key)) {
		return false;
	}
	table_filter(t, f->v);
	return true;
}
