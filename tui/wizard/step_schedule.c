/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/keys.h"
#include "tui/wizard/keep_text.h"
#include "tui/wizard/wizard.h"

/* Step 5: when. The next runs are asked from systemd by `felloe-noded calendar`,
 * not worked out here. */

enum { F_NAME, F_AT, F_OWN, F_SPREAD, F_KEEP };
enum { ID_EVERY = 100, ID_DAYS = 120, ID_WHAT_DB = 140, ID_WHAT_FILES, ID_KEEP, ID_CANCEL };

static const char *const day_names[] = {"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};

/* ---- the next runs --------------------------------------------------------------------- */

static void ask(struct wizard *w, const char *expr)
{
	const char *words[] = {"calendar", w->calendar.expr, "--next", "5", "--json", NULL};

	if (!expr[0] || (str_eq(expr, w->calendar.expr) && w->calendar.state != LOOK_NEVER))
		return;
	str_cut(w->calendar.expr, sizeof(w->calendar.expr), expr);
	w->calendar.n_next = 0;
	w->calendar.note[0] = w->calendar.error[0] = '\0';
	w->calendar.state = wizard_run(w, words, NULL) ? LOOK_RUNNING : LOOK_FAILED;
}

/* {"expression":…,"normalized":…,"next":["RFC 3339", …],"warnings":[…],"error":…} */
static void result(struct wizard *w, const struct json *j)
{
	const struct json *next = json_get(j, "next");
	const char *note = json_str(json_first(json_get(j, "warnings")));

	for (const struct json *c = json_first(next); c && w->calendar.n_next < CALENDAR_NEXT; c = json_next(c)) {
		int64_t ms;

		if (json_str(c) && clock_parse(&ms, json_str(c)) == 0)
			clock_format_local(w->calendar.next[w->calendar.n_next++], 64, "%a %d %b %H:%M", ms);
	}
	str_cut(w->calendar.note, sizeof(w->calendar.note), note ? note : "");
	str_cut(w->calendar.error, sizeof(w->calendar.error), json_get_str(j, "error", json_get_str(j, "detail", "")));
	str_clean(w->calendar.note);
	str_clean(w->calendar.error);
	w->calendar.state = w->calendar.n_next ? LOOK_DONE : LOOK_FAILED;
}

static void poll_jobs(struct wizard *w)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct err e;

	if (!w->job || job_poll(w->job, NULL, NULL))
		return;
	if (job_json(w->job, &j, &e)) {
		w->calendar.state = LOOK_FAILED;
		str_cut(w->calendar.error, sizeof(w->calendar.error), e.msg);
		str_clean(w->calendar.error);
	} else {
		result(w, j);
	}
	wizard_drop_job(w);
}

/* ---- the editor ----------------------------------------------------------------------------- */

/* What the open editor's fields stand for. */
static void from_fields(const struct wizard *w, struct answer_timer *t)
{
	t->every = (enum every)w->choice;
	t->days = 0;
	for (unsigned d = 0; d < 7; d++)
		t->days |= (unsigned)w->checks[d] << d;
	t->db = w->checks[7];
	t->files = w->checks[8];
	str_cut(t->name, sizeof(t->name), w->fields[F_NAME].v);
	str_cut(t->at, sizeof(t->at), w->fields[F_AT].v);
	str_cut(t->own, sizeof(t->own), w->fields[F_OWN].v);
	str_cut(t->spread_min, sizeof(t->spread_min), w->fields[F_SPREAD].v);
	str_cut(t->keep, sizeof(t->keep), w->fields[F_KEEP].v);
}

static void preview(struct wizard *w)
{
	struct answer_timer t = {0};
	char expr[ANSWER_TEXT];

	if (w->editing)
		from_fields(w, &t);
	else if (w->row < w->a.timers.n)
		t = w->a.timers.v[w->row];
	answers_on_calendar(&t, expr, sizeof(expr));
	if (expr[0]) {
		ask(w, expr);
		return;
	}
	w->calendar.n_next = 0;
	w->calendar.expr[0] = w->calendar.note[0] = '\0';
	w->calendar.state = LOOK_FAILED;
	str_cut(w->calendar.error, sizeof(w->calendar.error),
		t.every == EVERY_OWN ? "Give an expression as systemd.time(7) has it" : "Give a time such as 03:10, and a day");
}

static void add_field(struct wizard *w, int at, const char *label, int width, const char *note)
{
	struct form_item *it = form_add(&w->form, ITEM_FIELD, label, at + 1);

	it->field = &w->fields[at];
	it->width = width;
	it->note = note;
}

static void build(struct wizard *w, int focus)
{
	static const char *const every[] = {"every day", "every week", "every month (the 1st)", "every hour (at that minute)",
					    "own expression of systemd"};
	struct form_item *it;

	form_reset(&w->form);
	w->form.label_width = 9;
	add_field(w, F_NAME, "Name", 30, NULL);
	for (int i = 0; i < (int)ARRAY_LEN(every); i++) {
		it = form_add(&w->form, ITEM_CHOICE, every[i], ID_EVERY + i);
		it->choice = &w->choice;
		it->value = i;
	}
	if (w->choice == EVERY_OWN)
		add_field(w, F_OWN, "When", 44, NULL);
	else
		add_field(w, F_AT, "At", 8, "HH:MM");
	if (w->choice == EVERY_DAY || w->choice == EVERY_WEEK)
		for (int d = 0; d < 7; d++)
			form_add(&w->form, ITEM_CHECK, day_names[d], ID_DAYS + d)->check = &w->checks[d];
	form_add(&w->form, ITEM_CHECK, "databases", ID_WHAT_DB)->check = &w->checks[7];
	form_add(&w->form, ITEM_CHECK, "files", ID_WHAT_FILES)->check = &w->checks[8];
	add_field(w, F_SPREAD, "Spread", 8, "minutes, so that not all nodes start at once");
	add_field(w, F_KEEP, "Retain", 26, "empty: all runs");
	form_add(&w->form, ITEM_BUTTON, "Keep", ID_KEEP);
	form_add(&w->form, ITEM_BUTTON, "Cancel", ID_CANCEL)->is_default = true;
	form_focus(&w->form, focus);
}

static void edit(struct wizard *w, bool adding)
{
	static const struct answer_timer fresh = {.days = 0x7f, .at = "04:10", .spread_min = "5", .db = true, .files = true};
	const struct answer_timer *t = adding ? &fresh : &w->a.timers.v[w->row];

	field_set(&w->fields[F_NAME], t->name);
	field_set(&w->fields[F_AT], t->at);
	field_set(&w->fields[F_OWN], t->own);
	field_set(&w->fields[F_SPREAD], t->spread_min);
	field_set(&w->fields[F_KEEP], adding ? answers_keep_default(t->every) : t->keep);
	for (unsigned d = 0; d < 7; d++)
		w->checks[d] = t->days >> d & 1;
	w->checks[7] = t->db;
	w->checks[8] = t->files;
	w->choice = (int)t->every;
	w->calendar.adding = adding;
	w->editing = true;
	build(w, F_NAME + 1);
	preview(w);
}

/* An hourly timer has other defaults, until somebody has written his own. */
static void every_changed(struct wizard *w, enum every before)
{
	if (str_eq(w->fields[F_KEEP].v, answers_keep_default(before)))
		field_set(&w->fields[F_KEEP], answers_keep_default((enum every)w->choice));
}

static bool take(struct wizard *w)
{
	struct answer_timer t = {0};
	struct keep_text keep;
	struct err e;
	char expr[ANSWER_TEXT];
	uint64_t v;

	from_fields(w, &t);
	answers_on_calendar(&t, expr, sizeof(expr));
	if (!str_is_name(t.name)) {
		wizard_say(w, ST_FAIL, "✗ Give it a name of letters, digits, . _ -");
		return false;
	}
	for (size_t i = 0; i < w->a.timers.n; i++)
		if (str_eq(w->a.timers.v[i].name, t.name) && (w->calendar.adding || i != w->row)) {
			wizard_say(w, ST_FAIL, "✗ Another timer is called %s already", t.name);
			return false;
		}
	if (!expr[0] || !(t.db || t.files) || (t.spread_min[0] && str_to_u64(&v, t.spread_min, 0, 1440))) {
		wizard_say(w, ST_FAIL, "✗ %s", !expr[0] ? "Give a time such as 03:10, and a day" :
			   t.db || t.files ? "The spread is 0 to 1440 minutes" : "Mark databases, files or both");
		return false;
	}
	if (keep_text_parse(&keep, t.keep, &e)) {
		wizard_say(w, ST_FAIL, "✗ %s", e.msg);
		return false;
	}
	if (str_eq(expr, w->calendar.expr) && w->calendar.state == LOOK_FAILED) {
		wizard_say(w, ST_FAIL, "✗ systemd does not take \"%s\"", expr);
		return false;
	}
	if (w->calendar.adding) {
		(void)list_push(&w->a.timers);
		w->row = w->a.timers.n - 1;
	}
	w->a.timers.v[w->row] = t;
	w->editing = w->calendar.adding = false;
	w->message[0] = '\0';
	return true;
}

static void enter(struct wizard *w)
{
	w->calendar.state = LOOK_NEVER;
	preview(w);
}

/* ---- painting ------------------------------------------------------------------------------------ */

static void draw_next(const struct wizard *w, struct screen *s, struct rect r)
{
	char line[ANSWER_TEXT] = "";
	size_t len = 0;

	screen_putf(s, AT(r.y, r.x, r.w), ST_TEXT, "systemd  OnCalendar=%s", w->calendar.expr);
	for (size_t i = 0; i < w->calendar.n_next && len < sizeof(line); i++)
		len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%s", i ? "   " : "", w->calendar.next[i]);
	if (w->calendar.state == LOOK_RUNNING)
		screen_put(s, AT(r.y + 1, r.x, r.w), ST_RUN, "Next     » asking systemd");
	else if (w->calendar.state == LOOK_FAILED)
		screen_putf(s, AT(r.y + 1, r.x, r.w), ST_FAIL, "✗ %s", w->calendar.error);
	else
		screen_putf(s, AT(r.y + 1, r.x, r.w), ST_TEXT, "Next     %s", line);
	if (w->calendar.note[0])
		screen_putf(s, AT(r.y + 2, r.x, r.w), ST_WARN, "Note     ▲ %s", w->calendar.note);
}

static void draw_keeps(struct screen *s, struct rect r, const char *text)
{
	struct keep_text k;
	char line[ANSWER_TEXT];
	struct err e;

	if (keep_text_parse(&k, text, &e)) {
		screen_wrap(s, r, ST_FAIL, e.msg);
		return;
	}
	keep_text_explain(&k, line, sizeof(line));
	screen_put(s, AT(r.y, r.x, 9), ST_TEXT, "Retains");
	screen_wrap(s, RECT(r.y, r.x + 9, r.h, r.w - 9), keep_text_any(&k) ? ST_TEXT : ST_WARN, line);
}

static void draw_editor(struct wizard *w, struct screen *s, struct rect b)
{
	struct rect below;
	struct rect r = RECT(b.y, s->cols > 72 ? 3 : 0, b.h, s->cols > 72 ? s->cols - 6 : s->cols);

	screen_fill(s, r, ST_TEXT);
	screen_box(s, r, ST_HEAD, w->calendar.adding ? "New timer" : w->fields[F_NAME].v);
	form_draw(s, RECT(r.y + 1, r.x + 2, r.h - 6, r.w - 4), &w->form);
	below = RECT(r.y + r.h - 4, r.x + 2, 3, r.w - 4);
	/* what is being asked has the place */
	if (w->form.items[w->form.focus].id == F_KEEP + 1) {
		draw_keeps(s, below, w->fields[F_KEEP].v);
		screen_put(s, AT(below.y + 2, below.x, below.w), ST_DIM, "14d is 14 days; also h, w, m, y, last 3, within 30d");
	} else {
		draw_next(w, s, below);
	}
}

static void draw_timer(struct screen *s, const struct answer_timer *t, int y, bool wide)
{
	int keep = wide ? 66 : 49, width = s->cols - keep;
	char expr[ANSWER_TEXT];

	answers_on_calendar(t, expr, sizeof(expr));
	screen_put(s, AT(y, 3, 14), ST_TEXT, t->name);
	screen_put(s, AT(y, 18, 10), ST_TEXT, t->db && t->files ? "db + files" : t->db ? "databases" : "files");
	screen_put(s, AT(y, 29, wide ? 27 : 19), ST_TEXT, expr);
	if (wide)
		screen_putf(s, AT(y, 57, 8), ST_TEXT, "+%s min", t->spread_min[0] ? t->spread_min : "0");
	screen_put(s, AT(y, keep, width), t->keep[0] ? ST_TEXT : ST_WARN, t->keep[0] ? t->keep : "▲ all");
}

static void draw_list(const struct wizard *w, struct screen *s, struct rect b)
{
	bool wide = b.w >= 76; /* else the spread is seen in the editor alone */

	screen_put(s, AT(b.y, 3, 14), ST_HEAD, "TIMER");
	screen_put(s, AT(b.y, 18, 10), ST_HEAD, "WHAT");
	screen_put(s, AT(b.y, 29, 10), ST_HEAD, "WHEN");
	if (wide)
		screen_put(s, AT(b.y, 57, 8), ST_HEAD, "SPREAD");
	screen_put(s, AT(b.y, wide ? 66 : 49, 6), ST_HEAD, "RETAIN");
	for (size_t i = 0; i < w->a.timers.n && (int)i < b.h - 7; i++) {
		int y = b.y + 1 + (int)i;

		screen_put(s, AT(y, 1, 1), ST_TEXT, i == w->row ? ">" : " ");
		draw_timer(s, &w->a.timers.v[i], y, wide);
		if (i == w->row)
			screen_select(s, AT(y, 1, b.w - 1));
	}
}

static void draw(struct wizard *w, struct screen *s, struct rect b)
{
	if (w->editing) {
		draw_editor(w, s, b);
		return;
	}
	draw_list(w, s, b);
	if (w->a.timers.n == 0) {
		screen_put(s, AT(b.y + 2, 3, b.w - 4), ST_WARN, "No timer: nothing runs by itself. C adds one.");
	} else {
		draw_next(w, s, RECT(b.y + b.h - 6, 3, 3, b.w - 4));
		if (w->row < w->a.timers.n)
			draw_keeps(s, RECT(b.y + b.h - 3, 3, 1, b.w - 4), w->a.timers.v[w->row].keep);
	}
	screen_put(s, AT(b.y + b.h - 1, 1, b.w - 2), ST_DIM, "The next runs are worked out by systemd, not guessed.");
}

/* ---- keys ------------------------------------------------------------------------------------------ */

static bool edit_key(struct wizard *w, int k, const char *text)
{
	enum every before = (enum every)w->choice;
	enum form_result r;
	int id;

	if (k == K_ESC) {
		w->editing = w->calendar.adding = false;
		preview(w);
		return true;
	}
	r = form_key(&w->form, k, text);
	id = w->form.items[w->form.focus].id;
	if (r == FORM_CHANGED) {
		if (id >= ID_EVERY && id < ID_DAYS) {
			every_changed(w, before);
			build(w, id);
		}
		preview(w);
	}
	if (r != FORM_PRESSED)
		return r != FORM_IGNORED;
	if (id == ID_CANCEL)
		w->editing = w->calendar.adding = false;
	else
		(void)take(w);
	if (!w->editing)
		preview(w);
	return true;
}

static void remove_timer(struct wizard *w)
{
	memmove(&w->a.timers.v[w->row], &w->a.timers.v[w->row + 1], (w->a.timers.n - w->row - 1) * sizeof(w->a.timers.v[0]));
	w->a.timers.n--;
	w->row -= w->row > 0 && w->row >= w->a.timers.n;
	preview(w);
}

static bool key(struct wizard *w, int k, const char *text)
{
	bool there = w->row < w->a.timers.n;

	if (w->dialog.open) {
		enum dialog_result r = dialog_key(&w->dialog, k, text);

		if (r == DIALOG_YES && there)
			remove_timer(w);
		if (r != DIALOG_OPEN)
			dialog_close(&w->dialog);
		return true;
	}
	if (w->editing)
		return edit_key(w, k, text);
	if (wizard_list_key(&w->row, w->a.timers.n, k)) {
		preview(w);
		return true;
	}
	switch (k) {
	case 'C':
		edit(w, true);
		return true;
	case 'E':
	case K_ENTER:
		if (there)
			edit(w, false);
		return true;
	case 'D':
		if (there) {
			dialog_init(&w->dialog, "Remove timer", "Remove");
			dialog_line(&w->dialog, "Remove  %s", w->a.timers.v[w->row].name);
			dialog_line(&w->dialog, "• it is disabled in step 6; backups it made stay");
			dialog_open(&w->dialog);
		}
		return true;
	default:
		return false;
	}
}

static bool leave(struct wizard *w)
{
	if (w->editing && !take(w))
		return false;
	w->calendar.state = LOOK_NEVER;
	return true;
}

static bool typing(const struct wizard *w)
{
	return w->editing || w->dialog.open;
}

const struct wizard_step_ops *step_schedule(void)
{
	static const struct wizard_step_ops ops = {
		.title = "Schedule", .enter = enter, .draw = draw, .key = key, .poll = poll_jobs, .leave = leave, .typing = typing,
		.footer = "Enter Edit  C Add timer  D Remove  n Next  p Back  F1 Help",
		.help = "Each timer is a systemd timer of its own (felloe-backup@NAME.timer), caught up after the machine was off. "
			"Times between 02:00 and 03:00 do not exist on one night of the year where clocks change, and systemd skips "
			"that night: the default lies outside. The spread delays each start by a fixed random time. Retain: "
			"14d 8w 12m keeps the newest good run of each of 14 days, 8 weeks and 12 months, and deletes older ones; "
			"h and y are hours and years, \"last 3\" and \"within 30d\" go, too. The last good run always stays.",
	};

	return &ops;
}
