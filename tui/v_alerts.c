/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tui/fmt.h"
#include "tui/keys.h"
#include "tui/views.h"

enum { CMD_OPEN = 1, CMD_ACK, CMD_SNOOZE, CMD_UNDO, CMD_FILTER, CMD_NEWEST };
enum { FACTS = 11 };

struct alerts_view {
	struct table table;
	const struct alert **rows; /* of the app's alerts that are shown */
	size_t n;
	uint64_t held;             /* newer ones are not shown while somebody reads; 0: not held */
	size_t newer;              /* that are not shown */
	struct field filter;
	bool typing;
	const struct app *app;     /* while drawing */
};

static const struct binding keys[] = {
	{K_ENTER, CMD_OPEN, "Enter", "Open", "open the node that it is about", false},
	{'K', CMD_ACK, "K", "Acknowledge", "say that you look after it: no more reminders", true},
	{'Z', CMD_SNOOZE, "Z", "Snooze", "keep quiet about it for a time", true},
	{'U', CMD_UNDO, "U", NULL, "take acknowledging or snoozing back", true},
	{'/', CMD_FILTER, "/", "Filter", "show only rows with these words; !word: without", false},
	{'G', CMD_NEWEST, "G", NULL, "show the new ones that wait while you read; else to the end", false},
	{K_DOWN, 0, "arrows", NULL, "move (the list is held then); also j k g, PgUp PgDn, Home End", false},
	{0, 0, NULL, NULL, NULL, false},
};

static const struct alert *row(const void *rows, size_t i)
{
	return ((const struct alerts_view *)rows)->rows[i];
}

static uint64_t row_id(const void *rows, size_t i)
{
	return row(rows, i)->id;
}

/* What nobody looks after yet first, then the worse, then the newer. */
static int compare(const void *rows, size_t ia, size_t ib, int sort)
{
	const struct alert *a = row(rows, ia), *b = row(rows, ib);

	(void)sort;
	if ((a->state == ALERT_OPEN) != (b->state == ALERT_OPEN))
		return a->state == ALERT_OPEN ? -1 : 1;
	if (a->critical != b->critical)
		return a->critical ? -1 : 1;
	if (a->first != b->first)
		return a->first > b->first ? -1 : 1;
	return a->id > b->id ? -1 : a->id < b->id;
}

static bool match(const void *rows, size_t i, const char *word)
{
	const struct alert *a = row(rows, i);

	if (str_starts(word, "node:"))
		return strcasestr(a->node, word + 5);
	return strcasestr(a->node, word) || strcasestr(a->kind, word) || strcasestr(alert_title(a), word) ||
	       strcasestr(a->ref, word) || strcasestr(a->cause, word);
}

static const struct table_ops table_ops = {row_id, compare, match, NULL};

static void *make(void)
{
	struct alerts_view *v = xcalloc(1, sizeof(*v));

	table_init(&v->table, &table_ops);
	return v;
}

static void drop(void *p)
{
	struct alerts_view *v = p;

	table_done(&v->table);
	field_done(&v->filter);
	free(v->rows);
	free(v);
}

static void data(struct app *a, void *p)
{
	struct alerts_view *v = p;

	if (!a->alerts)
		return;
	if (a->view != VIEW_ALERTS)
		v->held = 0; /* nobody reads */
	v->rows = xrealloc(v->rows, (a->alerts->n + 1) * sizeof(*v->rows));
	v->n = v->newer = 0;
	for (size_t i = 0; i < a->alerts->n; i++) {
		if (v->held && a->alerts->v[i].id > v->held)
			v->newer++;
		else
			v->rows[v->n++] = &a->alerts->v[i];
	}
	(void)table_update(&v->table, v, v->n);
}

/* ---- the list */

enum { COL_SINCE, COL_SEVERITY, COL_NODE, COL_WHAT, COL_COUNT };
static const struct column wide[] = {
	{COL_SINCE, "SINCE", 3, 26},  {COL_SEVERITY, "STATE", 31, 9}, {COL_NODE, "NODE", 42, 22},
	{COL_WHAT, "WHAT", 66, 46}, {COL_COUNT, "COUNT", 114, 5},
};
static const struct column normal[] = {
	{COL_SINCE, "SINCE", 3, 10},   {COL_SEVERITY, "STATE", 14, 9}, {COL_NODE, "NODE", 25, 16},
	{COL_WHAT, "WHAT", 43, 30}, {COL_COUNT, "COUNT", 74, 5},
};
static const struct column narrow[] = {
	{COL_SINCE, "SINCE", 3, 9}, {COL_SEVERITY, "STATE", 13, 9}, {COL_NODE, "NODE", 23, 14}, {COL_WHAT, "WHAT", 38, 21},
};
static const struct column tiny[] = {{COL_SEVERITY, "STATE", 3, 9}, {COL_NODE, "NODE", 13, 12}, {COL_WHAT, "WHAT", 26, 14}};
static const struct layout layouts[] = {
	{119, wide, ARRAY_LEN(wide)}, {80, normal, ARRAY_LEN(normal)}, {58, narrow, ARRAY_LEN(narrow)}, {0, tiny, ARRAY_LEN(tiny)}};

static void cell_state(struct screen *s, struct span at, const struct alert *al)
{
	if (al->state == ALERT_ACKED)
		screen_put(s, at, ST_DIM, "· acked");
	else if (al->state == ALERT_SNOOZED)
		screen_put(s, at, ST_DIM, "· snoozed");
	else if (al->critical)
		screen_put(s, at, ST_FAIL, "✗ crit");
	else
		screen_put(s, at, ST_WARN, "▲ warn");
}

static void cell(struct screen *s, struct span at, const void *ctx, size_t i, int column)
{
	const struct alerts_view *v = ctx;
	const struct alert *al = v->rows[i];
	char text[FMT_TEXT], ago[FMT_TEXT];

	if (column == COL_SINCE && at.w > 20)
		screen_putf(s, at, ST_TEXT, "%s  %s", fmt_day(text, al->first, v->app->utc),
			    fmt_age(ago, v->app->now - al->first));
	else if (column == COL_SINCE)
		screen_put(s, at, ST_TEXT, fmt_ago(text, al->first, v->app->now));
	else if (column == COL_SEVERITY)
		cell_state(s, at, al);
	else if (column == COL_NODE)
		screen_put(s, at, ST_TEXT, al->node[0] ? al->node : "-");
	else if (column == COL_WHAT)
		screen_putf(s, at, ST_TEXT, "%s%s%s", alert_title(al), al->ref[0] ? ": " : "", al->ref);
	else
		screen_right(s, at, ST_TEXT, fmt_count(text, al->count));
}

/* A label and a text that may take some lines; gives the next free one. */
static int fact(struct screen *s, struct rect r, int y, const char *label, const char *text)
{
	if (!text[0] || y >= r.y + r.h)
		return y;
	screen_put(s, AT(y, 3, 11), ST_DIM, label);
	return y + screen_wrap(s, RECT(y, 15, r.y + r.h - y, r.w - 16), ST_TEXT, text);
}

static void draw_facts(const struct app *a, struct screen *s, struct rect r, const struct alert *al)
{
	char first[FMT_TEXT], last[FMT_TEXT], text[256];
	int y = r.y + 1;

	snprintf(text, sizeof(text), "%.60s%s%.60s", al->node[0] ? al->node : alert_title(al), al->node[0] ? "  " : "",
		 al->node[0] ? alert_title(al) : "");
	screen_rule(s, AT(r.y, 1, r.w - 1), ST_HEAD, text);
	if (al->count > 1)
		snprintf(text, sizeof(text), "%s, last %s, %" PRId64 " times", fmt_day(first, al->first, a->utc),
			 fmt_seconds(last, al->last, a->utc), al->count);
	else
		snprintf(text, sizeof(text), "%s", fmt_day(first, al->first, a->utc));
	y = fact(s, r, y, "First", text);
	y = fact(s, r, y, "Cause", al->cause);
	y = fact(s, r, y, "What to do", al->next_step);
	y = fact(s, r, y, "Run", al->run);
	if (al->state == ALERT_ACKED) {
		snprintf(text, sizeof(text), "%.100s looks after it", al->who[0] ? al->who : "somebody");
		(void)fact(s, r, y, "Acked", text);
	} else if (al->state == ALERT_SNOOZED) {
		snprintf(text, sizeof(text), "until %s, by %.100s", fmt_day(first, al->until, a->utc),
			 al->who[0] ? al->who : "somebody");
		(void)fact(s, r, y, "Snoozed", text);
	}
}

static void draw_info(const struct app *a, const struct alerts_view *v, struct screen *s)
{
	char middle[TABLE_FILTER + 64];

	if (v->newer)
		snprintf(middle, sizeof(middle), "‖ list held while you read: %zu new", v->newer);
	else
		snprintf(middle, sizeof(middle), "filter: %s", v->table.filter[0] ? v->table.filter : "(none)");
	app_info(a, s, &(struct app_info){"show: open", middle, &v->table, v->typing ? &v->filter : NULL});
}

static void draw_empty(const struct app *a, const struct alerts_view *v, struct screen *s, struct rect r)
{
	if (!a->alerts)
		screen_put(s, AT(r.y + 2, 3, r.w - 3), ST_DIM,
			   a->nodes ? "This master has not told of any alerts." : "Asking the master …");
	else if (v->table.filter[0])
		screen_put(s, AT(r.y + 2, 3, r.w - 3), ST_TEXT, "No alert matches: Esc empties the filter.");
	else
		screen_put(s, AT(r.y + 2, 3, r.w - 3), ST_OK, "All quiet.");
	screen_cursor(s, r.y + 2, 1, false);
}

static void draw(struct app *a, void *p, struct screen *s)
{
	struct alerts_view *v = p;
	struct rect r = app_body(s);
	bool full = app_size(s) == SIZE_FULL;
	int list_h = full && r.h > FACTS + 4 ? r.h - FACTS : full && r.h > 8 ? 4 : r.h;
	struct list_view lv = {.layout = list_layout(layouts, ARRAY_LEN(layouts), s->cols), .cell = cell, .ctx = v,
			       .stale = app_stale(a)};
	size_t i;

	v->app = a;
	list_draw(s, RECT(r.y, r.x, list_h, r.w), &v->table, &lv);
	if (!table_current(&v->table, &i))
		draw_empty(a, v, s, r);
	else if (list_h < r.h)
		draw_facts(a, s, RECT(r.y + list_h, 0, r.h - list_h, r.w), v->rows[i]);
	if (full)
		draw_info(a, v, s);
}

/* ---- keys */

/* From the first move on the rows stay: nothing slips under the cursor. */
static void hold(const struct app *a, struct alerts_view *v)
{
	uint64_t newest = 0;

	for (size_t i = 0; a->alerts && i < a->alerts->n; i++)
		if (a->alerts->v[i].id > newest)
			newest = a->alerts->v[i].id;
	if (!v->held)
		v->held = newest;
}

static bool key(struct app *a, void *p, int k, const char *text)
{
	struct alerts_view *v = p;

	if (v->typing)
		return list_filter_key(&v->table, &v->filter, &v->typing, k, text);
	if (k == K_ESC && v->table.filter[0]) {
		field_set(&v->filter, "");
		table_filter(&v->table, "");
		return true;
	}
	if (k == K_SPACE || k == '+' || k == '-' || k == '*' || k == '[' || k == ']' || k == 'G')
		return k != 'G'; /* each alert is decided by itself: no marks */
	if (!table_key(&v->table, k))
		return false;
	hold(a, v);
	return true;
}

static void question(struct app *a, const struct alert *al, enum net_tag tag, const char *title, const char *verb)
{
	dialog_init(&a->dialog, title, verb);
	a->dialog.tag = (int)tag;
	a->dialog.id = al->id;
	dialog_line(&a->dialog, "%s  %.60s%s%.60s", verb, al->node, al->node[0] ? ": " : "", alert_title(al));
	dialog_line(&a->dialog, "%s", "");
}

static void ask_change(struct app *a, const struct alert *al, int command)
{
	if (command == CMD_ACK) {
		question(a, al, TAG_ACK, "Acknowledge alert", "Acknowledge");
		dialog_line(&a->dialog, "• everybody sees that you look after it; no more reminders");
	} else if (command == CMD_SNOOZE) {
		question(a, al, TAG_SNOOZE, "Snooze alert", "Snooze");
		dialog_line(&a->dialog, "• no notices until then; it stays in the list");
		str_cut(a->dialog.ask, sizeof(a->dialog.ask), "For (30m, 4h, 2d)");
		field_set(&a->dialog.answer, "4h");
	} else {
		question(a, al, al->state == ALERT_ACKED ? TAG_UNACK : TAG_UNSNOOZE, "Take back", "Take back");
		dialog_line(&a->dialog, "• it is open again: nobody looks after it");
	}
	if (command != CMD_UNDO)
		dialog_line(&a->dialog, "• you can undo this: U");
	dialog_open(&a->dialog);
}

static void act(struct app *a, void *p, int command)
{
	struct alerts_view *v = p;
	const struct alert *al;
	size_t i;

	if (command == CMD_FILTER)
		v->typing = true;
	if (command == CMD_NEWEST) {
		bool waiting = v->newer > 0;

		v->held = 0;
		data(a, v);
		(void)table_key(&v->table, waiting ? 'g' : 'G');
	}
	if (command == CMD_FILTER || command == CMD_NEWEST || !table_current(&v->table, &i))
		return;
	al = v->rows[i];
	if (command == CMD_OPEN && al->node_id)
		app_open_node(a, al->node_id);
	else if (command == CMD_OPEN)
		app_say(a, ST_TEXT, "It is about no single node.");
	else if (command == CMD_UNDO && al->state == ALERT_OPEN)
		app_say(a, ST_TEXT, "It is open: nobody has acknowledged or snoozed it.");
	else if (command == CMD_ACK && al->state == ALERT_ACKED)
		app_say(a, ST_TEXT, "%.80s looks after it already.", al->who);
	else
		ask_change(a, al, command);
}

static void confirmed(struct app *a, void *p, struct dialog *d)
{
	static const struct {
		enum net_tag tag;
		const char *method, *word;
	} calls[] = {{TAG_ACK, "POST", "ack"},
		     {TAG_UNACK, "DELETE", "ack"},
		     {TAG_SNOOZE, "POST", "snooze"},
		     {TAG_UNSNOOZE, "DELETE", "snooze"}};
	struct net_ask ask = {.tag = (enum net_tag)d->tag, .id = d->id};
	int64_t ms = 0;

	(void)p;
	if (ask.tag == TAG_SNOOZE && fmt_span_from(&ms, d->answer.v)) {
		app_say(a, ST_FAIL, "\"%.40s\" is no span of time; write it like 30m, 4h or 2d.", d->answer.v);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (calls[i].tag == ask.tag) {
			str_cut(ask.method, sizeof(ask.method), calls[i].method);
			snprintf(ask.path, sizeof(ask.path), "/alerts/%" PRIu64 "/%s", d->id, calls[i].word);
		}
	if (ms)
		snprintf(ask.body, sizeof(ask.body), "{\"for_s\":%" PRId64 "}", ms / 1000);
	app_ask(a, &ask);
	app_say(a, ST_TEXT, "Asked the master …");
}

static void answer(struct app *a, void *p, const struct net_answer *ans)
{
	static const char *const done[] = {[TAG_ACK] = "is acknowledged", [TAG_SNOOZE] = "is snoozed",
					   [TAG_UNACK] = "is open again", [TAG_UNSNOOZE] = "is open again"};
	const struct alert *al = alerts_find(a->alerts, ans->id);

	(void)p;
	if (ans->tag < TAG_ACK || ans->tag > TAG_UNSNOOZE)
		return;
	if (ans->err.kind != ERR_NONE)
		app_say(a, ST_FAIL, "✗ the alert: %.200s", ans->err.msg);
	else
		app_say(a, ST_OK, "✓ %.60s%s%.60s %s.", al ? al->node : "", al && al->node[0] ? ": " : "",
			al ? alert_title(al) : "The alert", done[ans->tag]);
}

static bool typing(void *p)
{
	return ((struct alerts_view *)p)->typing;
}

static const struct view_ops ops = {
	.name = "Alerts", .keys = keys, .tab = true, .make = make, .drop = drop, .draw = draw, .key = key, .act = act,
	.data = data, .answer = answer, .confirmed = confirmed, .typing = typing,
};

const struct view_ops *view_alerts(void)
{
	return &ops;
}
