/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/dialog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/str.h"
#include "tui/keys.h"

enum { ID_ANSWER = 1, ID_TYPED, ID_YES, ID_CANCEL };

void dialog_init(struct dialog *d, const char *title, const char *verb)
{
	*d = (struct dialog){0};
	str_cut(d->title, sizeof(d->title), title);
	str_cut(d->verb, sizeof(d->verb), verb);
	str_cut(d->type_label, sizeof(d->type_label), "Type the name to go on");
}

void dialog_line(struct dialog *d, const char *fmt, ...)
{
	char whole[4 * DIALOG_TEXT];
	va_list ap;

	if (d->n_lines == DIALOG_LINES)
		return;
	va_start(ap, fmt);
	vsnprintf(whole, sizeof(whole), fmt, ap);
	va_end(ap);
	str_shorten(d->lines[d->n_lines++], DIALOG_TEXT, whole);
}

static void build(struct dialog *d)
{
	form_reset(&d->form);
	for (int i = 0; i < d->n_lines; i++)
		form_add(&d->form, ITEM_TEXT, d->lines[i], 0);
	form_add(&d->form, ITEM_TEXT, "", 0);
	if (d->ask[0])
		form_add(&d->form, ITEM_FIELD, d->ask, ID_ANSWER)->field = &d->answer;
	if (d->type_this[0])
		form_add(&d->form, ITEM_FIELD, d->type_label, ID_TYPED)->field = &d->typed;
	form_add(&d->form, ITEM_BUTTON, d->verb, ID_YES)->off = d->off[0] != '\0';
	form_add(&d->form, ITEM_BUTTON, "Cancel", ID_CANCEL)->is_default = true;
	d->form.label_width = d->ask[0] && text_width(d->ask) > text_width(d->type_label) ? text_width(d->ask) + 2
			      : d->ask[0] || d->type_this[0] ? text_width(d->type_label) + 3
							     : 0;
}

void dialog_open(struct dialog *d)
{
	build(d);
	form_focus(&d->form, ID_CANCEL);
	if (d->type_this[0])
		form_focus(&d->form, ID_TYPED);
	if (d->ask[0])
		form_focus(&d->form, ID_ANSWER);
	d->open = true;
}

void dialog_close(struct dialog *d)
{
	d->open = false;
	field_done(&d->answer);
	field_done(&d->typed);
}

static bool demands_met(struct dialog *d)
{
	d->problem[0] = '\0';
	if (d->off[0])
		return false;
	if (d->ask[0] && d->answer.v[strspn(d->answer.v, " ")] == '\0') {
		snprintf(d->problem, sizeof(d->problem), "%.60s is needed.", d->ask);
		form_focus(&d->form, ID_ANSWER);
		return false;
	}
	if (d->type_this[0] && !str_eq(d->typed.v, d->type_this)) {
		snprintf(d->problem, sizeof(d->problem), "That is not \"%.100s\".", d->type_this);
		form_focus(&d->form, ID_TYPED);
		return false;
	}
	return true;
}

enum dialog_result dialog_key(struct dialog *d, int key, const char *text)
{
	if (key == K_ESC)
		return DIALOG_NO;
	d->form.items[d->form.n - 2].off = d->off[0] != '\0';
	if (d->off[0] && d->form.items[d->form.focus].id == ID_YES)
		form_focus(&d->form, ID_CANCEL);
	if (form_key(&d->form, key, text) == FORM_PRESSED) {
		if (d->form.items[d->form.focus].id == ID_CANCEL)
			return DIALOG_NO;
		if (demands_met(d))
			return DIALOG_YES;
	}
	return DIALOG_OPEN;
}

static int widest(const struct dialog *d)
{
	int w = 40;

	for (int i = 0; i < d->n_lines; i++)
		if (text_width(d->lines[i]) > w)
			w = text_width(d->lines[i]);
	if (d->form.label_width && d->form.label_width + 28 > w)
		w = d->form.label_width + 28;
	return w;
}

void dialog_draw(struct screen *s, struct dialog *d)
{
	const char *last = d->off[0] ? d->off : d->problem;
	int w = widest(d) + 6, h = form_height(&d->form) + 4;
	struct rect r;

	d->form.items[d->form.n - 2].off = d->off[0] != '\0';
	w = w > s->cols ? s->cols : w;
	h = h > s->rows ? s->rows : h;
	r = RECT((s->rows - h) / 2, (s->cols - w) / 2, h, w);
	screen_window(s, r, d->title);
	form_draw(s, RECT(r.y + (h > 8 ? 2 : 1), r.x + 3, h - (h > 8 ? 4 : 3), w - 6), &d->form);
	screen_put(s, AT(r.y + h - 2, r.x + 3, w - 6), d->off[0] ? ST_WARN : ST_FAIL, last);
}
