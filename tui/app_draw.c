/* SPDX-License-Identifier: Apache-2.0 */
/* The frame around the views: title, tabs, message line, keys, overlays. */
#include "tui/app.h"

#include <stdio.h>
#include <string.h>

#include "shared/str.h"
#include "tui/app_in.h"
#include "tui/fmt.h"

enum { SLOW_MS = 500, SILENT_MS = 25000, SHORT_MESSAGE_MS = 10000 };

enum app_size app_size(const struct screen *s)
{
	if (s->cols < 40 || s->rows < 8)
		return SIZE_NONE;
	return s->cols < 60 || s->rows < 15 ? SIZE_LIST : SIZE_FULL;
}

struct rect app_body(const struct screen *s)
{
	if (app_size(s) == SIZE_FULL)
		return RECT(3, 0, s->rows - 5, s->cols);
	return RECT(1, 0, s->rows - 2, s->cols);
}

static void host_of(char *host, size_t size, const char *url)
{
	const char *p = strstr(url, "://");

	str_cut(host, size, p ? p + 3 : url);
	host[strcspn(host, "/")] = '\0';
}

static void link_text(const struct app *a, char *text, size_t size)
{
	char since[FMT_TEXT];
	int64_t wait = (a->link.retry_at - a->mono + 999) / 1000,
		every = a->link.every_ms > 1000 ? a->link.every_ms : 1000;

	if (a->link.link == NET_OUT)
		str_cut(text, size, "");
	else if (a->link.link == NET_EXPIRED)
		str_cut(text, size, "○ signed out");
	else if (a->link.link == NET_LOST)
		snprintf(text, size, "○ OFFLINE %s, retry in %ds (r now)", fmt_watch(since, a->now - a->link.lost_at),
			 (int)(wait < 0 ? 0 : wait));
	else if (a->frozen)
		str_cut(text, size, "‖ frozen");
	else if (a->link.events && a->now - a->link.last_ok > SILENT_MS)
		snprintf(text, size, "◐ silent %s", fmt_age(since, a->now - a->link.last_ok));
	else if (a->link.events)
		str_cut(text, size, "● live");
	else if (a->link.last_ok && a->now - a->link.last_ok > 3 * every + SLOW_MS)
		snprintf(text, size, "◐ slow %s", fmt_age(since, a->now - a->link.last_ok));
	else
		snprintf(text, size, "● every %ds", (int)((every + 500) / 1000));
}

static void counts_text(const struct app *a, char *text, size_t size, bool wide)
{
	const size_t *by = a->nodes ? a->nodes->by_health : NULL;
	size_t open = alerts_open(a->alerts);
	size_t len;

	text[0] = '\0';
	if (!by)
		return;
	snprintf(text, size, "%zu node%s%s", a->nodes->n, a->nodes->n == 1 ? "" : "s", wide && a->nodes->n ? ":" : "");
	for (int h = H_OK; wide && h >= 0; h--) {
		len = strlen(text);
		if (by[h] && h != H_WAITING)
			snprintf(text + len, size - len, "%s%zu %s", h == H_OK ? " " : "  ", by[h],
				 health_name((enum health)h));
	}
	len = strlen(text);
	if (a->nodes->pending)
		snprintf(text + len, size - len, "  %zu wait", a->nodes->pending);
	len = strlen(text);
	if (open)
		snprintf(text + len, size - len, "  %zu alert%s", open, open == 1 ? "" : "s");
}

static void draw_title(const struct app *a, struct screen *s)
{
	char host[128], link[128], counts[160] = "", clock[FMT_TEXT], right[256];
	int x, w;

	screen_fill(s, RECT(0, 0, 1, s->cols), ST_TITLE);
	host_of(host, sizeof(host), a->link.master);
	link_text(a, link, sizeof(link));
	if (a->view == VIEW_LOGIN) {
		screen_put(s, AT(0, 1, s->cols - 1), ST_TITLE, "Felloe");
		screen_right(s, AT(0, 8, s->cols - 8), ST_TITLE, "not signed in");
		return;
	}
	if (a->link.link != NET_LOST)
		counts_text(a, counts, sizeof(counts), s->cols >= 110);
	snprintf(right, sizeof(right), "%s  %s", a->link.user, fmt_clock(clock, a->now, a->utc));
	if (s->cols < 60)
		str_cut(right, sizeof(right), clock);
	w = text_width(right);
	x = 1 + screen_put(s, AT(0, 1, s->cols / 3), ST_TITLE, host) + 2;
	x += screen_put(s, AT(0, x, s->cols - x), ST_TITLE, link) + 4;
	if (x + text_width(counts) + 2 + w > s->cols)
		counts_text(a, counts, sizeof(counts), false);
	if (a->link.link != NET_LOST && x + text_width(counts) + 2 + w <= s->cols)
		screen_put(s, AT(0, x, s->cols - x), ST_TITLE, counts);
	if (x - 3 + w <= s->cols)
		screen_right(s, AT(0, s->cols - w, w), ST_TITLE, right);
}

static void draw_tabs(const struct app *a, struct screen *s)
{
	char text[64];
	size_t open;
	int x = 1, number = 0;

	if (!a->ops[a->view]->tab)
		return;
	for (int i = 0; i < VIEWS; i++) {
		if (!a->ops[i] || !a->ops[i]->tab)
			continue;
		snprintf(text, sizeof(text), "%d %s", ++number, a->ops[i]->name);
		if (i == VIEW_APPROVALS && a->nodes && a->nodes->pending)
			snprintf(text, sizeof(text), "%d %s·%zu", number, a->ops[i]->name, a->nodes->pending);
		open = i == VIEW_ALERTS ? alerts_open(a->alerts) : 0;
		if (open)
			snprintf(text, sizeof(text), "%d %s·%zu", number, a->ops[i]->name, open);
		x += screen_put(s, AT(1, x, s->cols - x), (int)a->view == i ? ST_TAB : ST_TEXT, text) + 2;
	}
}

void app_info(const struct app *a, struct screen *s, const struct app_info *i)
{
	char range[LIST_RANGE], when[FMT_TEXT], age[FMT_TEXT], marked[32] = "";
	int right;

	list_range(range, i->table);
	right = s->cols - text_width(range);
	if (app_stale(a)) {
		screen_putf(s, AT(2, 1, right - 2), ST_WARN, "shown: data of %s (%s old)",
			    fmt_seconds(when, a->link.last_ok, a->utc), fmt_age(age, a->now - a->link.last_ok));
	} else {
		screen_put(s, AT(2, 1, 23), ST_DIM, i->left);
		if (i->table->n_marks)
			snprintf(marked, sizeof(marked), "%zu marked", i->table->n_marks);
		if (i->filter) {
			screen_put(s, AT(2, 25, 8), ST_TEXT, "filter:");
			field_draw(s, AT(2, 33, right - 35), i->filter, true);
		} else {
			if (46 + text_width(marked) < right)
				screen_put(s, AT(2, 46, right - 47), ST_BOLD, marked);
			screen_put(s, AT(2, 25, marked[0] && right > 57 ? 20 : right - 26), ST_DIM, i->middle);
		}
	}
	screen_right(s, AT(2, right, s->cols - right), ST_DIM, range);
}

static const struct message *last_message(const struct app *a)
{
	return a->log_n ? &a->log[(a->log_n - 1) % LOG_LINES] : NULL;
}

static void draw_bottom(const struct app *a, struct screen *s)
{
	const struct message *m = last_message(a);
	const struct view_ops *ops = a->ops[a->view];
	const char *why;
	bool full = app_size(s) == SIZE_FULL, off = app_locked(a, &why);

	if (m && full && ops->hint && a->log_n == a->log_seen && a->now - m->at >= SHORT_MESSAGE_MS)
		m = NULL;
	if (!m && full && ops->hint && text_width(ops->hint) < s->cols)
		screen_put(s, AT(s->rows - 2, 1, s->cols - 2), ST_TEXT, ops->hint);
	if (m && (full || a->now - m->at < SHORT_MESSAGE_MS)) {
		screen_put(s, AT(full ? s->rows - 2 : s->rows - 1, 1, s->cols - 2), m->style, m->text);
		if (!full)
			return;
	}
	if (a->dialog.open)
		screen_put(s, AT(s->rows - 1, 1, s->cols - 1), ST_TEXT,
			   s->cols < 80
				   ? "Tab Next  Esc Cancel"
				   : "Tab Next  Esc Cancel        Enter in a text field only moves to the next field");
	else if (ops->typing && ops->typing(a->views[a->view]) && a->view != VIEW_LOGIN)
		screen_put(s, AT(s->rows - 1, 1, s->cols - 2), ST_TEXT, "Enter Keep the filter  Esc Empty it");
	else
		keymap_footer(s, s->rows - 1, ops->keys, app_common_keys(a), off);
}

static void draw_log(struct app *a, struct screen *s)
{
	size_t have = a->log_n < LOG_LINES ? a->log_n : LOG_LINES;
	int lines = s->rows - 6, most = (int)have - lines;
	struct rect r = RECT(2, 1, s->rows - 4, s->cols - 2);
	char when[FMT_TEXT];

	a->log_top = a->log_top > most ? most : a->log_top;
	a->log_top = a->log_top < 0 ? 0 : a->log_top;
	screen_window(s, r, "Messages of this session, newest first");
	for (int i = 0; i < lines && i + a->log_top < (int)have; i++) {
		const struct message *m = &a->log[(a->log_n - 1 - (size_t)(i + a->log_top)) % LOG_LINES];

		screen_put(s, AT(r.y + 1 + i, 3, 14), ST_DIM, fmt_seconds(when, m->at, a->utc));
		screen_put(s, AT(r.y + 1 + i, 18, s->cols - 21), m->style, m->text);
	}
	screen_cursor(s, r.y + 1, 3, false);
}

void app_draw(struct app *a, struct screen *s)
{
	const struct view_ops *ops = a->ops[a->view];
	const char *why = "";

	screen_clear(s);
	if (app_size(s) == SIZE_NONE) {
		screen_putf(s, AT(0, 0, s->cols), ST_TEXT, "Need 40x8, have %dx%d", s->cols, s->rows);
		return;
	}
	draw_title(a, s);
	if (app_size(s) == SIZE_FULL)
		draw_tabs(a, s);
	ops->draw(a, a->views[a->view], s);
	draw_bottom(a, s);
	if (a->dialog.open) {
		str_cut(a->dialog.off, sizeof(a->dialog.off), a->view != VIEW_LOGIN && app_locked(a, &why) ? why : "");
		dialog_draw(s, &a->dialog);
	}
	if (a->help)
		keymap_help(s, ops->name, ops->keys, app_common_keys(a), &a->help_top);
	if (a->log_open)
		draw_log(a, s);
}
